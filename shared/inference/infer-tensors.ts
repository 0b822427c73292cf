import type { Budget } from '../budget.ts';
import { InferenceError, invalid, overLimit } from '../errors.ts';
import { decodeBase64 } from '../http/base64.ts';
import type { NamedTensors, Session, TensorSpec } from '../runtime/session.ts';
import { castTensor } from '../tensor/cast.ts';
import { moveAxisToFront } from '../tensor/move-axis.ts';
import { sliceRows, type Tensor } from '../tensor/tensor.ts';
import { textFault } from '../tensor/text-fault.ts';
import { createRests } from '../turns.ts';
import { checkLength } from '../values/cell.ts';
import type { FieldValue } from '../values/input.ts';
import {
  type BytesInput,
  expectElement,
  fitShape,
  isBytesInput,
  type Layout,
  type NamedInputs,
  type TensorInput,
} from '../values/named-inputs.ts';
import type { BoundGraph } from './bound-graph.ts';
import { decodeUtf8 } from './decode-utf8.ts';
import type { InferenceOutput } from './output.ts';
import { isByInstance, type Runner } from './run-batch.ts';
import { joinTables, type TableForm, tableTensors } from './table-form.ts';
import type { Batch, Postprocessor, Preprocessor } from './task.ts';
import { checkFetches, inferTexts, nameTexts, prepareTexts } from './text-tensors.ts';

export interface TensorOptions {
  /** Names of the outputs wanted, in order; undefined for all. */
  readonly outputs?: readonly string[] | undefined;
  /** Outputs of the task in the forms of a table, by their names in `outputs`. */
  readonly forms?: ReadonlyMap<string, TableForm> | undefined;
  /** How instances are arranged in the inputs, and then in the outputs; as one whole by default. */
  readonly layout?: Layout | undefined;
}

/**
 * Runs a model of any task on tensors. BYTES of shape [N] sent to the one numeric input of an image model are N encoded
 * images, which go through the model's own preprocessing; in JSON they are base64 text. (The convention of OpenVINO
 * Model Server.) BYTES sent to a text model are texts under any name, as it has no other use for them. An embedding
 * model answers them with its vectors.
 *
 * @throws InferenceError when an input does not fit the graph, or an output does not exist
 */
export async function inferTensors(
  model: Pick<BoundGraph, 'session' | 'task'>,
  sent: NamedInputs,
  { outputs, forms, layout = 'whole' }: TensorOptions,
  run: Runner,
  budget: Budget,
): Promise<NamedTensors> {
  const { session } = model;
  const { preprocessor, postprocessor } = model.task;
  const inputs = nameTexts(sent, preprocessor?.textInput);
  const texts = await prepareTexts(preprocessor, inputs, budget);
  if (texts) return await inferTexts(texts, model, outputs, run);
  const names = session.outputs.map(({ name }) => name);
  const wanted = outputs ?? names;
  const fetches = forms && postprocessor ? withFetches(wanted, forms, postprocessor) : wanted;
  checkFetches(fetches, names);
  const images = await preprocessImages(preprocessor, session, inputs, budget);
  if (images) return await run(images.feeds, { fetches, layout: 'instances' });
  const { bodyBytes } = budget.limits;
  const feeds =
    layout === 'whole'
      ? checkFeeds(inputs, session, bodyBytes)
      : checkInstances(inputs, session, layout, bodyBytes);
  checkTexts(feeds, preprocessor, budget);
  const given = await run(feeds, { fetches, layout });
  if (layout === 'instances') checkRows(given, session, rowsOf(inputs));
  if (!forms || !postprocessor) return given;
  const rows = layout === 'instances' ? given : toRows(given, session);
  const inForms = await tableOf({ rows: rowsOf(inputs), feeds }, rows, forms, postprocessor, budget);
  return new Map(
    wanted.flatMap((name) => {
      const made = inForms.get(name);
      if (made) return [...made];
      const tensor = given.get(name);
      return tensor ? [[name, tensor] as const] : [];
    }),
  );
}

/** Predictions are objects of several hundred bytes. */
const PREDICTIONS_AT_ONCE = 4096;

/**
 * The outputs of the task in the forms of a table, by the names of these. The predictions of many rows are made some at a
 * time, and other requests run in between.
 */
async function tableOf(
  batch: Batch,
  outputs: NamedTensors,
  forms: ReadonlyMap<string, TableForm>,
  { postprocess }: Postprocessor,
  budget: Budget,
): Promise<ReadonlyMap<string, NamedTensors>> {
  const { rows } = batch;
  const areRows = [...outputs.values()].every(({ shape }) => shape[0] === rows);
  const size = areRows ? PREDICTIONS_AT_ONCE : rows;
  const parts = new Map([...forms.keys()].map((name): [string, NamedTensors[]] => [name, []]));
  const rest = createRests(() => budget.goOn());
  let start = 0;
  do {
    await rest();
    const end = Math.min(start + size, rows);
    const isWhole = end - start === rows;
    const some = isWhole
      ? outputs
      : new Map([...outputs].map(([name, tensor]) => [name, sliceRows(tensor, start, end)]));
    const output = postprocess(some, { ...batch, rows: end - start });
    for (const [name, form] of forms) parts.get(name)?.push(tableTensors(output, form, name));
    start = end;
  } while (start < rows);
  return new Map([...parts].map(([name, tables]) => [name, joinTables(tables)]));
}

/**
 * The predictions of a model for tensors, which are as above. Without a task they are its outputs, with the instances on
 * the first axis.
 *
 * @throws InferenceError when an input does not fit the graph
 */
export async function inferOutput(
  { session, task: { preprocessor, postprocessor } }: Pick<BoundGraph, 'session' | 'task'>,
  sent: NamedInputs,
  layout: Layout,
  run: Runner,
  budget: Budget,
): Promise<InferenceOutput> {
  const inputs = nameTexts(sent, preprocessor?.textInput);
  const prepared =
    (await prepareTexts(preprocessor, inputs, budget)) ??
    (await preprocessImages(preprocessor, session, inputs, budget));
  const feeds =
    prepared?.feeds ??
    (layout === 'whole'
      ? checkFeeds(inputs, session, budget.limits.bodyBytes)
      : checkInstances(inputs, session, layout, budget.limits.bodyBytes));
  if (!prepared) checkTexts(feeds, preprocessor, budget);
  const fetches = postprocessor?.fetches;
  const listed = prepared ? 'instances' : layout;
  const given = await run(feeds, { fetches, layout: listed });
  const rows = listed === 'instances' ? given : toRows(given, session);
  if (!postprocessor) {
    const count = rowsOf(inputs);
    if (listed === 'instances' && count > 1) checkRows(given, session, count);
    return { kind: 'tensors', tensors: rows };
  }
  return postprocessor.postprocess(rows, prepared ?? { rows: rowsOf(inputs), feeds });
}

/** Moves the instances of outputs to the first axis; instances that are listed are already there. */
function toRows(outputs: NamedTensors, { outputs: specs }: Session): NamedTensors {
  const axes = new Map(specs.map(({ name, batchAxis = 0 }) => [name, batchAxis]));
  return new Map([...outputs].map(([name, tensor]) => [name, moveAxisToFront(tensor, axes.get(name) ?? 0)]));
}

/** The outputs of the graph that are requested, or that forms are made from. */
function withFetches(
  wanted: readonly string[],
  forms: ReadonlyMap<string, TableForm>,
  { fetches }: Postprocessor,
): readonly string[] {
  return [...new Set([...wanted.filter((name) => !forms.has(name)), ...fetches])];
}

/** The number of listed instances: they are on the first axis of each input. */
function rowsOf(inputs: NamedInputs): number {
  const [first] = inputs.values();
  return first?.shape[0] ?? 1;
}

/** The number of instances in tensors; undefined if the graph has no axis for them. */
export function countInstances(
  inputs: NamedInputs,
  { inputs: specs }: Session,
  layout: Layout,
): number | undefined {
  if (layout === 'instances') return rowsOf(inputs);
  const spec = specs.find(({ batchAxis }) => batchAxis !== undefined);
  return spec && inputs.get(spec.name)?.shape[spec.batchAxis ?? 0];
}

/** @throws InferenceError for an output that may not have a value for each instance */
function checkRows(outputs: NamedTensors, session: Session, rows: number): void {
  for (const spec of session.outputs) {
    const shape = outputs.get(spec.name)?.shape;
    if (!shape || (isByInstance(spec, session) && shape[0] === rows)) continue;
    throw invalid(
      `Output "${spec.name}"`,
      `has the shape [${shape}], which has no axis for the ${rows} instances; send "inputs" instead of "instances".`,
    );
  }
}

/**
 * The runtime holds a text twice on the way in and once more on the way out, in addition to the body and its parsed
 * content.
 */
function checkTexts(feeds: NamedTensors, preprocessor: Preprocessor | undefined, { limits }: Budget): void {
  const mostBytes = Math.floor(limits.bodyBytes / 2);
  let bytes = 0;
  for (const [name, { datatype, data }] of feeds) {
    if (datatype !== 'BYTES') continue;
    checkLengths(data, name, preprocessor?.minLengths?.get(name));
    for (const text of data) bytes += Buffer.byteLength(String(text));
    if (bytes <= mostBytes) continue;
    throw overLimit(
      `Input "${name}"`,
      `brings the texts of the request to more than ${mostBytes} bytes, the limit (half of MAX_BODY_BYTES).`,
    );
  }
}

/**
 * @param least smallest length of the texts of each column
 * @throws InferenceError for a text that is too short
 */
function checkLengths(texts: Tensor['data'], name: string, least: readonly number[] | undefined): void {
  if (!least?.some((length) => length > 0)) return;
  for (const [index, text] of texts.entries()) {
    checkLength(String(text), least[index % least.length], `Element ${index} of input "${name}"`);
  }
}

/** Accepts any number of instances: a graph with a fixed batch size gets them in batches. */
function checkInstances(
  inputs: NamedInputs,
  session: Session,
  layout: Layout,
  bodyBytes: number,
): NamedTensors {
  const specs = session.inputs.map((spec) => {
    const { batchAxis, shape } = spec;
    if (batchAxis === undefined || (batchAxis > 0 && layout !== 'instances')) return spec;
    return { ...spec, shape: [-1, ...shape.toSpliced(batchAxis, 1)] };
  });
  return checkFeeds(inputs, { ...session, inputs: specs }, bodyBytes);
}

/** The batch made from encoded images; undefined if the inputs contain none. */
async function preprocessImages(
  preprocessor: Preprocessor | undefined,
  session: Session,
  inputs: NamedInputs,
  budget: Budget,
): Promise<Batch | undefined> {
  const name = preprocessor?.imageInput;
  const given = name === undefined ? undefined : inputs.get(name);
  if (!preprocessor || name === undefined || !given || !isBytesInput(given)) return undefined;
  checkNames(inputs, session.inputs);
  const images = readImages(given, name, budget);
  return await preprocessor.preprocess({ kind: 'image', images }, budget);
}

/**
 * Encoded images in a tensor; texts are base64.
 *
 * @throws InferenceError
 */
export function readImages(
  { shape, elements }: Omit<BytesInput, 'datatype'>,
  name: string,
  budget: Budget,
): FieldValue<Uint8Array>[] {
  if (shape.length !== 1 && !(shape.length === 2 && shape[1] === 1)) {
    throw invalid(`Input "${name}"`, `has the shape [${shape}]; encoded images have the shape [N].`);
  }
  if (elements.length === 0) throw invalid(`Input "${name}"`, 'has no images.');
  const { batchSize } = budget.limits;
  if (elements.length > batchSize) {
    throw new InferenceError('PAYLOAD_TOO_LARGE', [
      `Input "${name}"`,
      `has ${elements.length} images; the limit is ${batchSize} (MAX_BATCH_SIZE).`,
    ]);
  }
  return elements.map((each, index) => {
    const element = expectElement(each, index, name);
    const field = elements.length === 1 ? name : `${name}[${index}]`;
    return { value: typeof element === 'string' ? decodeBase64(element, field) : element, field };
  });
}

/**
 * Checks inputs against the graph: names, datatypes (cast if that is safe), ranks and sizes. The runtime itself
 * silently ignores unknown names, and its own errors contain paths.
 *
 * @throws InferenceError with the input, what came and what is expected
 */
function checkFeeds(inputs: NamedInputs, { inputs: specs }: Session, bodyBytes: number): Map<string, Tensor> {
  checkNames(inputs, specs);
  return new Map(
    specs.map((spec) => {
      const input = inputs.get(spec.name);
      if (!input)
        throw invalid(`Input "${spec.name}"`, `is missing; the model takes ${describeNames(specs)}.`);
      return [spec.name, checkFeed(input, spec, bodyBytes)];
    }),
  );
}

/** @throws InferenceError for an input that the model does not have */
export function checkNames(inputs: NamedInputs, specs: readonly TensorSpec[]): void {
  for (const name of inputs.keys()) {
    if (!specs.some((spec) => spec.name === name)) {
      throw invalid(
        `There is no input ${JSON.stringify(name.slice(0, 100))}; the model takes ${describeNames(specs)}.`,
      );
    }
  }
}

function describeNames(specs: readonly TensorSpec[]): string {
  return specs.map(({ name }) => `"${name}"`).join(', ') || 'none';
}

function checkFeed(input: TensorInput, spec: TensorSpec, bodyBytes: number): Tensor {
  const field = `Input "${spec.name}"`;
  const shape = fitShape(input, spec, field);
  if (!isBytesInput(input)) return { ...castTensor(input, spec.datatype, { field, bodyBytes }), shape };
  if (spec.datatype !== 'BYTES') throw invalid(field, `has the datatype BYTES; expected ${spec.datatype}.`);
  return {
    datatype: 'BYTES',
    shape,
    data: input.elements.map((element, i) =>
      element === null && spec.allowsMissing ? '' : toText(expectElement(element, i, spec.name), i, field),
    ),
  };
}

function toText(element: string | Uint8Array, index: number, field: string): string {
  const text = typeof element === 'string' ? element : decodeUtf8(element, index, field);
  const fault = textFault(text);
  if (fault === undefined) return text;
  throw invalid(`Element ${index} of ${field} has ${fault}, which strings cannot hold.`);
}
