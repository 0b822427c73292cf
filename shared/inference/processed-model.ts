import type { Budget } from '../budget.ts';
import { InferenceError } from '../errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { parseJson } from '../json/parse-json.ts';
import type { ModelConfig } from '../models/model-config.ts';
import type { ModelReference } from '../models/model-reference.ts';
import {
  bindProcessors,
  listOf,
  misreturned,
  type Prepared,
  type ProcessorRun,
  type ProcessorScope,
  type Processors,
  takesOf,
} from '../processors/bind-processors.ts';
import { createMeasurements, type Measurements } from '../processors/measurements.ts';
import type { GraphInputs, Processor, Takes } from '../processors/processor.ts';
import { checkTensor, describeKind, ReturnedError, toJson } from '../processors/returned.ts';
import type { NamedTensors, Session, TensorSpec } from '../runtime/session.ts';
import type { ModelContract } from '../values/contract.ts';
import type { FieldValue, InferenceInput, TextValue } from '../values/input.ts';
import { decodeRows, imagesOf } from '../values/instances.ts';
import { isBytesInput, type NamedInputs, type TensorInput } from '../values/named-inputs.ts';
import { jsonTexts } from '../values/nested-values.ts';
import { textsOf } from '../values/text-inputs.ts';
import type { BoundGraph } from './bound-graph.ts';
import { inferOutput, inferTensors, type TensorOptions } from './infer-tensors.ts';
import type { InferenceOutput } from './output.ts';
import { resultsOf } from './prediction-results.ts';
import type { Runner } from './run-batch.ts';
import type { TaskRunner } from './task.ts';
import { checkFetches } from './text-tensors.ts';

/** A model with steps of own code, as requests use it. */
export interface ProcessedModel {
  /** The model that the steps are around. */
  readonly inner: BoundGraph;
  /** @param logOf makes the log of a step */
  open(logOf: ProcessorScope['log']): ProcessedUse;
}

/** A model with steps of own code in one request. The runner runs the graph. */
export interface ProcessedUse {
  readonly measured: Pick<Measurements, 'counts' | 'observations'>;
  predict(input: InferenceInput, run: Runner, budget: Budget): Promise<InferenceOutput>;
  run(inputs: NamedInputs, options: TensorOptions, run: Runner, budget: Budget): Promise<NamedTensors>;
}

/** The model as protocols see it, with the inputs of its first step and the outputs of its last. */
export interface OuterModel extends BoundGraph {
  readonly processed: ProcessedModel;
}

/**
 * Puts the steps that a config names around a model.
 *
 * @throws ModelError for a step that does not exist, and for options that its schema refuses
 */
export type AddSteps = (
  reference: ModelReference,
  named: NonNullable<ModelConfig['processors']>,
  graph: BoundGraph,
) => Promise<OuterModel>;

/** @param known the steps of a project */
export function createAddSteps(known: readonly Processor[]): AddSteps {
  return async (reference, named, graph) =>
    processModel(graph, await bindProcessors(named, known, reference));
}

/** The name of the only input of a model whose instances own code reads: JSON, or its texts in tensors. */
const INSTANCES = 'instances';
/** The name of the only output of a model whose predictions own code makes: JSON, or its texts in tensors. */
const PREDICTION = 'prediction';

/** Puts steps of own code around a model. */
function processModel(inner: BoundGraph, processors: Processors): OuterModel {
  const { first, hasAfter } = processors;
  const takes = first && takesOf(first, inner.contract.kind);
  const inputs = takes === undefined ? inner.session.inputs : [inputOf(takes)];
  const outputs = hasAfter ? [jsonSpec(PREDICTION)] : inner.session.outputs;
  return {
    session: { ...inner.session, inputs, outputs, run: refuseToRun },
    task: taskOf(inner.task, takes, hasAfter),
    contract: contractOf(inner.contract, takes, hasAfter, inputs),
    processed: {
      inner,
      open: (log) => {
        const measurements = createMeasurements();
        const begin = (run: Runner, budget: Budget): Call => {
          const scope = { budget, measurements, log };
          return { inner, run, budget, steps: processors.start(scope) };
        };
        return {
          measured: measurements,
          predict: (input, run, budget) => predict(begin(run, budget), input, processors),
          run: (sent, options, run, budget) => runTensors(begin(run, budget), sent, options, takes, hasAfter),
        };
      },
    },
  };
}

function refuseToRun(): never {
  throw new Error('a graph with steps around it was run without them');
}

function jsonSpec(name: string): TensorSpec {
  return { name, datatype: 'BYTES', shape: [-1], isJson: true, batchAxis: 0 };
}

/** Clients send the instances of the first step, and not tensors of the graph. */
function inputOf(takes: Takes): TensorSpec {
  if (takes === 'features') return jsonSpec(INSTANCES);
  return { name: takes, datatype: 'BYTES', shape: [-1], batchAxis: 0 };
}

function taskOf(task: TaskRunner, takes: Takes | undefined, hasAfter: boolean): TaskRunner {
  return {
    ...task,
    preprocessor: takes === undefined ? task.preprocessor : undefined,
    postprocessor: hasAfter ? undefined : task.postprocessor,
    labels: hasAfter ? undefined : task.labels,
  };
}

function contractOf(
  contract: ModelContract,
  takes: Takes | undefined,
  hasAfter: boolean,
  inputs: readonly TensorSpec[],
): ModelContract {
  return {
    ...contract,
    ...(takes !== undefined && {
      kind: takes,
      inputs,
      features: undefined,
      columns: undefined,
      imageInput: takes === 'image' ? takes : undefined,
      textInput: takes === 'text' ? { name: takes, isPrepared: true, takesPairs: true } : undefined,
    }),
    ...(hasAfter && {
      gives: 'values',
      maps: new Map(),
      answering: (protocols) => {
        const answering = contract.answering(protocols);
        return answering.form === 'columns' ? answering : { ...answering, form: 'objects' };
      },
    }),
  };
}

/** One request to a model with steps. */
interface Call {
  readonly inner: BoundGraph;
  readonly steps: ProcessorRun;
  readonly run: Runner;
  readonly budget: Budget;
}

async function predict(
  call: Call,
  input: InferenceInput,
  { first, hasAfter }: Processors,
): Promise<InferenceOutput> {
  const { inner, run, budget } = call;
  const instances = instancesOf(input);
  if (first === undefined) {
    const output = await inner.task.infer(input, run, budget);
    return hasAfter ? await finish(call, output, instances.length) : output;
  }
  const prepared = await call.steps.before(instances);
  const output = await blameStep(prepared, () => inferPrepared(call, prepared, instances.length));
  return hasAfter ? await finish(call, output, instances.length) : output;
}

/** The instances of a request on Ternion's own routes. */
function instancesOf(input: InferenceInput): readonly FieldValue<unknown>[] {
  switch (input.kind) {
    case 'features':
      return input.rows;
    case 'image':
      return input.images;
    case 'text':
      return input.texts.map(({ value, field }) => ({ value: textInstance(value), field }));
    case 'tensors':
      return [input.tensors];
  }
}

/** A pair has the names of transformers, as in requests. */
function textInstance(value: TextValue): JsonValue {
  return typeof value === 'string' ? value : { text: value.text, text_pair: value.pair };
}

/** The task of the model on what the last step before the graph returned. */
async function inferPrepared(call: Call, prepared: Prepared, count: number): Promise<InferenceOutput> {
  const { inner, run, budget } = call;
  const { contract, task } = inner;
  if (isGraphInputs(prepared.returned) || contract.kind === 'tensors') {
    const inputs = inputsOf(inner, prepared, count, budget);
    return await inferOutput(inner, inputs, 'instances', run, budget);
  }
  const values = listOf(prepared, count);
  const place = (index: number) => `${INSTANCES}[${index}]`;
  if (contract.kind === 'image') {
    const images = values.map((value, index) => ({
      value: imageOf(value, place(index)),
      field: place(index),
    }));
    return await task.infer({ kind: 'image', images }, run, budget);
  }
  if (contract.kind === 'text') {
    const texts = values.map((value, index) => ({ value: textOf(value, place(index)), field: place(index) }));
    return await task.infer({ kind: 'text', texts }, run, budget);
  }
  const rows = values.map((value, index) => ({ value: toJson(value, place(index)), field: place(index) }));
  return await task.infer({ kind: 'features', rows }, run, budget);
}

function imageOf(value: unknown, place: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new ReturnedError(`${place} is ${describeKind(value)}; expected the bytes of an image`);
}

function textOf(value: unknown, place: string): TextValue {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'text' in value && 'text_pair' in value) {
    const { text, text_pair: pair } = value;
    if (typeof text === 'string' && typeof pair === 'string') return { text, pair };
  }
  throw new ReturnedError(`${place} is ${describeKind(value)}; expected a text, or {text, text_pair}`);
}

/** The inputs of the graph from what the last step before it returned. */
function inputsOf(inner: BoundGraph, prepared: Prepared, count: number, { limits }: Budget): NamedInputs {
  const { contract } = inner;
  const { returned } = prepared;
  if (isGraphInputs(returned)) {
    const inputs = new Map(
      Object.entries(returned.tensors).map(([name, value]) => [name, tensorInput(name, value)]),
    );
    checkCount(inputs, inner.session, prepared.step, count);
    return inputs;
  }
  const values = listOf(prepared, count);
  const place = (index: number) => `${INSTANCES}[${index}]`;
  const { imageInput, textInput } = contract;
  if (imageInput !== undefined && values[0] instanceof Uint8Array) {
    return new Map([[imageInput, imagesOf(values.map((value, index) => imageOf(value, place(index))))]]);
  }
  if (textInput?.isPrepared) {
    return textsOf(
      values.map((value, index) => textOf(value, place(index))),
      textInput,
      INSTANCES,
    );
  }
  const rows = values.map((value, index) => toJson(value, place(index)));
  return decodeRows(rows, INSTANCES, contract, limits);
}

/** @throws InferenceError PROCESSOR_FAILED for inputs with another number of instances than the request */
function checkCount(inputs: NamedInputs, { inputs: specs }: Session, step: string, count: number): void {
  for (const { name, batchAxis } of specs) {
    const rows = inputs.get(name)?.shape[0];
    if (batchAxis === undefined || rows === undefined || rows === count) continue;
    throw new InferenceError(
      'PROCESSOR_FAILED',
      `The step "${step}" made inputs of the graph for ${rows} instances, and the request has ${count}.`,
    );
  }
}

/** Texts are checked for what strings of the graph cannot hold. */
function tensorInput(name: string, value: unknown): TensorInput {
  const tensor = checkTensor(value, `tensors.${name}`);
  const { datatype, shape, data } = tensor;
  return datatype === 'BYTES' && Array.isArray(data) ? { datatype, shape, elements: data } : tensor;
}

function isGraphInputs(value: unknown): value is GraphInputs {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !('tensors' in value))
    return false;
  const { tensors } = value;
  return typeof tensors === 'object' && tensors !== null;
}

/** What the graph does not take is a mistake of the step that made it, and not of the client. */
async function blameStep<R>({ step }: Prepared, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ReturnedError)
      throw misreturned(step, `returned what the model does not take: ${error.message}`);
    if (error instanceof InferenceError && error.code === 'INVALID_PARAMETER_VALUE') {
      const reason = error.message.replace(/\.$/, '');
      throw misreturned(step, `returned what the model does not take: ${reason}`);
    }
    throw error;
  }
}

/** The steps after the graph. */
async function finish(call: Call, output: InferenceOutput, rows: number): Promise<InferenceOutput> {
  return { kind: 'values', predictions: await changeResults(call, output, rows) };
}

async function changeResults({ steps }: Call, output: InferenceOutput, rows: number): Promise<JsonValue[]> {
  const changed = await steps.after(resultsOf(output, rows));
  return changed.map((value, index) => jsonOf(value, `${PREDICTION} ${index}`));
}

function jsonOf(value: unknown, place: string): JsonValue {
  try {
    return toJson(value, place);
  } catch (error) {
    if (!(error instanceof ReturnedError)) throw error;
    throw new InferenceError(
      'PROCESSOR_FAILED',
      `The last step returned what cannot be answered: ${error.message}.`,
    );
  }
}

/** Tensors of clients, on the routes of other servers. */
async function runTensors(
  call: Call,
  sent: NamedInputs,
  options: TensorOptions,
  takes: Takes | undefined,
  hasAfter: boolean,
): Promise<NamedTensors> {
  const { inner, run, budget } = call;
  if (hasAfter) checkFetches(options.outputs ?? [], [PREDICTION]);
  if (takes === undefined) {
    const layout = options.layout ?? 'whole';
    const output = await inferOutput(inner, sent, layout, run, budget);
    return predictionTensor(await changeResults(call, output, countOf(sent)));
  }
  const instances = readInstances(sent, takes, budget);
  const prepared = await call.steps.before(instances);
  if (hasAfter) {
    const output = await blameStep(prepared, () => inferPrepared(call, prepared, instances.length));
    return predictionTensor(await changeResults(call, output, instances.length));
  }
  return await blameStep(prepared, async () => {
    const inputs = inputsOf(inner, prepared, instances.length, budget);
    return await inferTensors(inner, inputs, { ...options, layout: 'instances' }, run, budget);
  });
}

function countOf(inputs: NamedInputs): number {
  const [first] = inputs.values();
  return first?.shape[0] ?? 1;
}

function predictionTensor(values: readonly JsonValue[]): NamedTensors {
  return new Map([[PREDICTION, jsonTexts(values)]]);
}

/** The instances in the only input of a model with a step before its graph. */
function readInstances(sent: NamedInputs, takes: Takes, budget: Budget): readonly FieldValue<unknown>[] {
  const { name } = inputOf(takes);
  const input = sent.get(name);
  if (!input || sent.size > 1 || input.datatype !== 'BYTES') {
    const given = [...sent]
      .map(([key, { datatype }]) => `${JSON.stringify(key.slice(0, 40))} (${datatype})`)
      .join(', ');
    throw new InferenceError('INVALID_PARAMETER_VALUE', [
      'The request',
      `has the inputs ${given || 'none'}; this model takes "${name}" (BYTES), or the columns of a data frame.`,
    ]);
  }
  const elements: readonly (string | Uint8Array | null)[] = isBytesInput(input)
    ? input.elements
    : Array.from(input.data, String);
  // JSON of the request was counted when it was parsed.
  const isCounted = 'isJson' in input && input.isJson === true;
  const size = takes === 'text' && input.shape.length === 2 && input.shape[1] === 2 ? 2 : 1;
  return Array.from({ length: elements.length / size }, (_, index) => {
    const own = elements.slice(index * size, (index + 1) * size);
    const field = `${name}[${index}]`;
    return { value: readInstance(own, takes, { field, isCounted }, budget), field };
  });
}

function readInstance(
  [first = null, second]: readonly (string | Uint8Array | null)[],
  takes: Takes,
  { field, isCounted }: { readonly field: string; readonly isCounted: boolean },
  budget: Budget,
): unknown {
  if (takes === 'image') return typeof first === 'string' ? Buffer.from(first, 'base64') : first;
  const text = (element: string | Uint8Array | null) =>
    element === null ? '' : typeof element === 'string' ? element : Buffer.from(element).toString();
  if (takes === 'text')
    return second === undefined ? text(first) : { text: text(first), text_pair: text(second) };
  try {
    const spend = (values: number) => budget.spend('values', values, `Element "${field}"`);
    return parseJson(Buffer.from(text(first)), budget.limits.jsonDepth, isCounted ? {} : { spend });
  } catch (error) {
    if (!(error instanceof InferenceError) || error.code !== 'BAD_REQUEST') throw error;
    throw new InferenceError('INVALID_PARAMETER_VALUE', [
      `Element "${field}"`,
      'is not JSON; expected the JSON of an instance.',
    ]);
  }
}
