import { randomUUID } from 'node:crypto';
import type { Limits } from '../../config.ts';
import { invalid, overLimit } from '../../errors.ts';
import type { Model } from '../../inference/load-model.ts';
import type { ModelUse } from '../../inference/model-use.ts';
import { takesAnyBatch } from '../../inference/run-batch.ts';
import { isTableForm, type TableForm } from '../../inference/table-form.ts';
import { checkAnswerSize } from '../../json/join-each.ts';
import { describeJson, type JsonValue } from '../../json/json-value.ts';
import { type Label, topK } from '../../processing/classification.ts';
import type { NamedTensors } from '../../runtime/session.ts';
import { DATATYPE_NAMES, DATATYPES, type Datatype, isDatatype } from '../../tensor/datatype.ts';
import { elementCount, type Tensor, toNumbers } from '../../tensor/tensor.ts';
import type { ModelContract } from '../../values/contract.ts';
import type { Layout, NamedInputs } from '../../values/named-inputs.ts';

// The rules of the protocol for tensors, independent of the transport: no bytes of a body, no HTTP, no JSON text.

/** A request to run a model on tensors. */
export interface InferRequest {
  readonly id: string | undefined;
  readonly inputs: NamedInputs;
  /** How instances stand in them; one whole by default. */
  readonly layout?: Layout | undefined;
  /** Undefined: all outputs. */
  readonly outputs: readonly RequestedOutput[] | undefined;
  /** How long the client waits, from the arrival of the request; undefined for as long as it takes. */
  readonly timeoutMs: number | undefined;
}

/** One output a request asks for. */
export interface RequestedOutput {
  readonly name: string;
  /** Number of classes, for the classification extension; 0 for the tensor itself. */
  readonly classes: number;
}

/** The result of a run, and what its answer says about it. */
export interface InferResult<Request extends InferRequest = InferRequest> {
  readonly request: Request;
  /** The id of the request, or a new one. */
  readonly id: string;
  readonly model: Model;
  readonly tensors: NamedTensors;
  /** The names of those tensors that a method of an estimator gave, and not an output of the graph. */
  readonly ofMethods: ReadonlySet<string>;
}

/** An input without its elements. */
export interface TensorHead {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly count: number;
}

/** More than any model has. */
const MOST_AXES = 64;

/**
 * Checks the datatype and the shape that an input declares.
 *
 * @throws InferenceError for an unknown datatype, an invalid shape, and too many axes or elements
 */
export function readHead(
  name: string,
  datatype: JsonValue | undefined,
  shape: JsonValue | undefined,
  limits: Limits,
): TensorHead {
  if (typeof datatype !== 'string' || !isDatatype(datatype)) {
    throw invalid(
      `Input "${name}"`,
      `has the datatype ${describeJson(datatype)}; expected one of ${DATATYPE_NAMES.join(', ')}.`,
    );
  }
  const sizes = readShape(shape, name);
  // With an axis of size 0 the number of elements hides the size of the other axes, from which outputs can be made.
  const extent = elementCount(sizes.map((size) => Math.max(size, 1)));
  if (extent > limits.tensorElements) {
    throw overLimit(
      `Input "${name}"`,
      `has the shape [${sizes}], which is more than the limit of ${limits.tensorElements} elements (MAX_TENSOR_ELEMENTS).`,
    );
  }
  return { name, datatype, shape: sizes, count: elementCount(sizes) };
}

function readShape(shape: JsonValue | undefined, name: string): number[] {
  if (Array.isArray(shape) && shape.length > MOST_AXES)
    throw invalid(`Input "${name}"`, `has a shape of ${shape.length} axes; the limit is ${MOST_AXES}.`);
  const sizes: number[] = [];
  for (const size of Array.isArray(shape) ? shape : [undefined]) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
      throw invalid(
        `Input "${name}"`,
        `has the shape ${describeShape(shape)}; expected whole numbers of at least 0.`,
      );
    }
    sizes.push(size);
  }
  return sizes;
}

function describeShape(shape: JsonValue | undefined): string {
  if (!Array.isArray(shape)) return describeJson(shape);
  const sizes = shape
    .slice(0, MOST_AXES)
    .map((size) => (typeof size === 'number' ? size : describeJson(size)));
  return `[${sizes.join(',')}]`;
}

/** @throws InferenceError for an output that is requested twice */
export function checkRequested(outputs: readonly RequestedOutput[]): void {
  const names = new Set<string>();
  for (const { name } of outputs) {
    if (names.has(name)) throw invalid(`Output "${name}"`, 'is requested twice.');
    names.add(name);
  }
}

/**
 * Runs a model on the inputs of a request.
 *
 * @param startMs when the request arrived, by `performance.now()`
 * @throws InferenceError for inputs that the model does not take, and after the client's timeout
 */
export async function infer<Request extends InferRequest>(
  request: Request,
  { model, contract, run }: ModelUse,
  startMs: number,
): Promise<InferResult<Request>> {
  const methods = methodsOf(contract);
  const outputs = request.outputs?.map(({ name }) => name) ?? methods.usual;
  const deadlineMs = request.timeoutMs === undefined ? undefined : startMs + request.timeoutMs;
  const forms = new Map(
    outputs?.flatMap((name) => {
      const form = isOutput(model, name) ? undefined : methods.forms.get(name);
      return form ? [[name, form] as const] : [];
    }),
  );
  const { layout } = request;
  const given = await run(request.inputs, { outputs, deadlineMs, layout, ...(forms.size > 0 && { forms }) });
  const ofMethods = new Set(
    forms.size === 0 ? [] : [...given.keys()].filter((name) => !isOutput(model, name)),
  );
  const tensors =
    ofMethods.size === 0
      ? given
      : new Map([...given].map(([name, tensor]) => [name, ofMethods.has(name) ? asColumn(tensor) : tensor]));
  const requested = request.outputs?.flatMap((output) => spread(output, tensors));
  const asked = requested ? { ...request, outputs: requested } : request;
  return { request: asked, id: request.id ?? randomUUID(), model, tensors, ofMethods };
}

/** For several targets, a method may give several tensors, each with a number after its name. */
function spread<Output extends RequestedOutput>(output: Output, tensors: NamedTensors): readonly Output[] {
  if (tensors.has(output.name)) return [output];
  const names = [...tensors.keys()].filter((name) => name.startsWith(`${output.name}_`));
  return names.map((name) => ({ ...output, name }));
}

/** Methods of estimators, which are outputs of MLServer's runtimes, and those that are the default. */
interface Methods {
  readonly forms: ReadonlyMap<string, TableForm>;
  readonly usual: readonly string[] | undefined;
}

const NO_METHODS: Methods = { forms: new Map(), usual: undefined };

/**
 * The outputs of a tabular model in addition to those of its graph. Source: mlserver_sklearn, mlserver_xgboost,
 * mlserver_lightgbm and mlserver_catboost of MLServer 1.7.
 */
function methodsOf({ kind, answering }: ModelContract): Methods {
  if (kind !== 'features') return NO_METHODS;
  const { form } = answering(['open-inference']);
  const usual = form === 'probabilities' ? ['predict_proba'] : isTableForm(form) ? ['predict'] : undefined;
  return {
    forms: new Map<string, TableForm>([
      ['predict', form === 'values' ? 'values' : 'labels'],
      ['predict_proba', 'probabilities'],
      ['transform', 'values'],
    ]),
    usual,
  };
}

function isOutput({ session }: Model, name: string): boolean {
  return session.outputs.some((output) => output.name === name);
}

/** MLServer gives arrays of one axis a second one. */
function asColumn(tensor: Tensor): Tensor {
  return tensor.shape.length === 1 ? { ...tensor, shape: [...tensor.shape, 1] } : tensor;
}

/**
 * One output of a result as it was asked for: the tensor, or its best classes. It is made just before it is written, so
 * that the texts of only one output are in memory at a time.
 *
 * @param limitBytes most bytes of an answer
 * @throws InferenceError for a tensor that has no classes, or too many
 */
export function takeOutput(
  { model: { task, session }, tensors }: Pick<InferResult, 'model' | 'tensors'>,
  output: RequestedOutput,
  limitBytes: number,
): Tensor {
  const tensor = tensors.get(output.name);
  if (!tensor) throw new Error(`output "${output.name}" was not fetched`);
  return output.classes > 0
    ? classify(tensor, output, task.labels, takesAnyBatch(session), limitBytes)
    : tensor;
}

/** Triton's own bound on the classes of one item. */
const MOST_CLASSES = 1_000_000;
/** Shortest class in JSON, `"0.000000:0",` of floats and `"0:0",` of whole numbers; the binary form takes one more. */
const LEAST_BYTES = { float: 13, integer: 6 } as const;

/**
 * Replaces a tensor by its best classes as texts `value:index` or `value:index:label`, best first. All axes except the
 * first are the classes of one item, or all axes if the model does not batch; the values have six decimals, as C++
 * prints them. Source: Triton's classification extension and its code.
 */
function classify(
  tensor: Tensor,
  { name, classes }: RequestedOutput,
  labels: readonly Label[] | undefined,
  batches: boolean,
  limitBytes: number,
): Tensor {
  const { kind } = DATATYPES[tensor.datatype];
  if (tensor.datatype === 'FP16' || (kind !== 'float' && kind !== 'integer')) {
    throw invalid(`Output "${name}"`, `is ${tensor.datatype}, which has no classification.`);
  }
  const rows = batches ? (tensor.shape[0] ?? 1) : 1;
  const width = elementCount(batches ? tensor.shape.slice(1) : tensor.shape);
  if (width > MOST_CLASSES)
    throw invalid(`Output "${name}"`, `has ${width} classes per item; the limit is ${MOST_CLASSES}.`);
  const best = Math.min(classes, width);
  checkAnswerSize(rows * best * LEAST_BYTES[kind], limitBytes);
  const values = toNumbers(tensor);
  const data: string[] = [];
  for (let row = 0; row < rows; row++) {
    const scores = values.subarray(row * width, (row + 1) * width);
    for (const index of topK(scores, best)) {
      const value = kind === 'float' ? toText(scores[index] ?? 0) : String(tensor.data[row * width + index]);
      const label = labels?.length === width ? `:${labels[index]}` : '';
      data.push(`${value}:${index}${label}`);
    }
  }
  return { datatype: 'BYTES', shape: batches ? [rows, best] : [best], data };
}

/** As `std::to_string` prints a float: six decimals, never an exponent. */
function toText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
