import type { Budget } from '../budget.ts';
import { InferenceError } from '../errors.ts';
import { listOf, misreturned, type Prepared } from '../processors/bind-processors.ts';
import type { GraphInputs } from '../processors/processor.ts';
import { checkTensor, describeKind, ReturnedError, toJson } from '../processors/returned.ts';
import type { Session } from '../runtime/session.ts';
import type { EmbeddingOptions, FieldValue, InferenceInput, TextValue } from '../values/input.ts';
import { decodeRows, imagesOf } from '../values/instances.ts';
import type { NamedInputs, TensorInput } from '../values/named-inputs.ts';
import { textsOf } from '../values/text-inputs.ts';
import type { BoundGraph } from './bound-graph.ts';

// What the last step of own code before a graph made for it.

/** What a step made of the instances of a request. */
export interface Made extends Prepared {
  readonly instances: readonly FieldValue<unknown>[];
}

/** Name of the list of instances in messages. */
const INSTANCES = 'instances';

/**
 * The input of the model's task; undefined if the step made inputs of the graph.
 *
 * @param options what the client asked for text vectors
 * @throws ReturnedError, InferenceError for values that the model does not take
 */
export function taskInputOf(
  { contract }: BoundGraph,
  made: Made,
  options: EmbeddingOptions | undefined,
): InferenceInput | undefined {
  if (isGraphInputs(made.returned) || contract.kind === 'tensors') return undefined;
  const values = listOf(made, made.instances.length);
  const read = <T>(readValue: (value: unknown, place: string) => T): FieldValue<T>[] =>
    values.map((value, index) => ({
      value: readValue(value, placeOf(index)),
      field: isPassedOn(made, index) ? (made.instances[index]?.field ?? '') : placeOf(index),
    }));
  switch (contract.kind) {
    case 'image':
      return { kind: 'image', images: read(imageOf) };
    case 'text':
      return { kind: 'text', texts: read(textOf), options };
    case 'features':
      return { kind: 'features', rows: read(toJson) };
  }
}

function placeOf(index: number): string {
  return `${INSTANCES}[${index}]`;
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

/**
 * The inputs of the graph, with the instances on the first axis of each.
 *
 * @throws ReturnedError, InferenceError for values that the graph does not take
 */
export function graphInputsOf(inner: BoundGraph, made: Made, { limits }: Budget): NamedInputs {
  const { contract } = inner;
  const { returned } = made;
  const count = made.instances.length;
  if (isGraphInputs(returned)) {
    const inputs = new Map(
      Object.entries(returned.tensors).map(([name, value]) => [name, tensorInput(name, value)]),
    );
    checkCount(inputs, inner.session, made.step, count);
    return inputs;
  }
  const values = listOf(made, count);
  const { imageInput, textInput } = contract;
  if (imageInput !== undefined && values[0] instanceof Uint8Array) {
    return new Map([[imageInput, imagesOf(values.map((value, index) => imageOf(value, placeOf(index))))]]);
  }
  if (textInput?.isPrepared) {
    return textsOf(
      values.map((value, index) => textOf(value, placeOf(index))),
      textInput,
      INSTANCES,
    );
  }
  const rows = values.map((value, index) => toJson(value, placeOf(index)));
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

/**
 * What the graph does not take is a mistake of the step that made it. What a step only passed on is one of the client.
 *
 * @throws InferenceError
 */
export async function blameMaker<R>(made: Made, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    const isRefused = error instanceof InferenceError && error.code === 'INVALID_PARAMETER_VALUE';
    if (!isRefused && !(error instanceof ReturnedError)) throw error;
    if (isRefused && isOfClient(made, error.field)) throw error;
    const reason = error.message.replace(/\.$/, '');
    throw misreturned(made.step, `returned what the model does not take: ${reason}`);
  }
}

/** @param field of the error, as in `Field "instances[1].age"` */
function isOfClient(made: Made, field = ''): boolean {
  const areOfClient = made.instances.map((_, index) => isPassedOn(made, index));
  if (!areOfClient.includes(false)) return true;
  const [, place = ''] = /"(.*?)"/s.exec(field) ?? [];
  const index = made.instances.findIndex(
    (instance, at) => isWithin(place, instance.field) || isWithin(place, placeOf(at)),
  );
  return areOfClient[index] === true || isMemberOfClient(made, index, place);
}

/** Whether a place is a member of a row that has the value of a client: steps complete what clients send. */
function isMemberOfClient({ returned, instances }: Made, index: number, place: string): boolean {
  const row: unknown = Array.isArray(returned) ? returned[index] : undefined;
  const sent = instances[index]?.value;
  if (!isObject(row) || !isObject(sent)) return false;
  return Object.keys(sent).some(
    (name) =>
      Object.hasOwn(row, name) && row[name] === sent[name] && isWithin(place, `${placeOf(index)}.${name}`),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a place in a request is another one, or a part of it. */
function isWithin(place: string, other: string): boolean {
  return place === other || place.startsWith(`${other}.`) || place.startsWith(`${other}[`);
}

/** Whether a step returned an instance as the client sent it. */
function isPassedOn({ returned, instances }: Made, index: number): boolean {
  return Array.isArray(returned) && returned[index] === instances[index]?.value;
}
