import type { TensorSpec } from '../../runtime/session.ts';
import { isPlainPath } from '../file-manifest.ts';
import { type ConfigReader, type ModelConfig, ModelError } from '../model-config.ts';
import type { FormatFolder, GraphView } from './format-folder.ts';
import { TRITON_FILE } from './format-folder.ts';
import { addLabels, checkLabelCount, readLabelLines } from './labels.ts';
import { configOf } from './onnx.ts';
import { messagesOf, nameOf, numberOf, sizesOf, type TextProtoMessage, textOf } from './text-proto.ts';
import { parseTritonConfig } from './triton-config.ts';

/** Triton's datatypes whose names differ from those on the wire. */
const DATATYPES: Readonly<Record<string, string>> = { STRING: 'BYTES' };
const BACKENDS = ['onnxruntime', 'onnxruntime_onnx'];

/**
 * A model of a Triton repository: `config.pbtxt` is next to its versions. It repeats what the graph says, and names its
 * classes with `label_filename`. How Triton would run it (instances, batching) is ignored if it does not change the
 * answers.
 * Source: Triton's model configuration, model_config.proto.
 *
 * @throws ModelError when it has another backend, does not match the graph, or works on sequences
 */
export async function recogniseTriton(
  folder: FormatFolder,
  view: GraphView,
  reader: ConfigReader,
): Promise<ModelConfig | undefined> {
  const text = await folder.readShared(TRITON_FILE);
  if (text === undefined) return undefined;
  const message = parseTritonConfig(text);
  checkBackend(message);
  checkScheduling(message);
  const size = numberOf(message, 'max_batch_size');
  const seen = {
    ...view,
    inputs: readTensors('input', messagesOf(message, 'input'), view.inputs, size),
    outputs: readTensors('output', messagesOf(message, 'output'), view.outputs, size),
  };
  const config = await withLabelNames(configOf(seen), message, folder, seen, reader);
  const shapes = findReshaped(view, seen);
  return { ...config, ...(shapes && { shapes }), ...(size > 0 && { maxBatchSize: size }) };
}

function checkBackend(message: TextProtoMessage): void {
  const backend = textOf(message, 'backend') || textOf(message, 'platform');
  if (message.fields.has('ensemble_scheduling') || (backend !== '' && !BACKENDS.includes(backend))) {
    throw new ModelError(
      `its ${TRITON_FILE} has the backend ${JSON.stringify(backend.slice(0, 60) || 'ensemble')}; only onnxruntime can be served`,
    );
  }
}

/** What these fields require of the server, in words; undefined if they require nothing. */
const NOT_SERVED = [
  ['sequence_batching', describeSequences],
  ['batch_input', () => 'requires the server to fill inputs of its graph (batch_input)'],
  ['batch_output', () => 'requires the server to divide its outputs (batch_output)'],
  ['model_transaction_policy', describeTransactions],
] as const satisfies readonly (readonly [string, (asked: TextProtoMessage) => string | undefined])[];

/**
 * Settings that would change the answers must not be ignored. How requests are batched, and where they run, does not
 * change them.
 *
 * @throws ModelError that says what is required
 */
function checkScheduling(message: TextProtoMessage): void {
  for (const [field, describe] of NOT_SERVED) {
    const [asked] = messagesOf(message, field);
    const problem = asked && describe(asked);
    if (problem === undefined) continue;
    throw new ModelError(
      `its ${TRITON_FILE} ${problem}, which Ternion does not support; to serve the graph as it is, to clients that send all of its inputs, put a model.json with {"task":"tensor"} into the folder of the version`,
    );
  }
}

/** For Triton's sequences: a state of the graph, or an input that marks the start and end of a sequence. */
function describeSequences(batching: TextProtoMessage): string {
  const states = messagesOf(batching, 'state').map((state) => textOf(state, 'input_name'));
  const controls = messagesOf(batching, 'control_input').map((control) => textOf(control, 'name'));
  const filled = [
    ...(states.length > 0 ? [`the states ${listNames(states)}`] : []),
    ...(controls.length > 0 ? [`the controls ${listNames(controls)}`] : []),
  ];
  const inputs = filled.length === 0 ? '' : ` and fill ${filled.join(' and ')}`;
  return `requires the server to keep the requests of a sequence together${inputs} (sequence_batching)`;
}

function describeTransactions(policy: TextProtoMessage): string | undefined {
  const isDecoupled = policy.fields.get('decoupled')?.at(-1) === true;
  return isDecoupled ? 'allows any number of answers per request (decoupled)' : undefined;
}

/** Most names that a message lists. */
const SHOWN = 10;

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => JSON.stringify(name.slice(0, 60)));
  return `${shown.join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`;
}

/**
 * The graph that a configuration names; undefined if it relies on the usual name.
 *
 * @throws ModelError when it cannot be read
 */
export function readTritonModelFile(text: string): string | undefined {
  return textOf(parseTritonConfig(text), 'default_model_filename') || undefined;
}

/**
 * The tensors as clients see them: those of the graph, with other shapes if the configuration reshapes them. The
 * configuration may omit tensors, but must not name others.
 */
function readTensors(
  role: string,
  messages: readonly TextProtoMessage[],
  specs: readonly TensorSpec[],
  batchSize: number,
): readonly TensorSpec[] {
  const known = new Map(specs.map((spec) => [spec.name, spec]));
  const seen = new Map(known);
  for (const message of messages) {
    const name = textOf(message, 'name');
    const spec = known.get(name);
    if (!spec) {
      const names = specs.map((candidate) => candidate.name).join(', ') || 'none';
      throw new ModelError(`its ${TRITON_FILE} has the ${role} "${name}", but its graph has ${names}`);
    }
    const reshape = messagesOf(message, 'reshape').at(-1);
    const withBatch = (sizes: readonly number[]) => (batchSize > 0 ? [-1, ...sizes] : sizes);
    const shape = withBatch(sizesOf(message, 'dims'));
    checkTensor(role, message, spec, reshape ? withBatch(sizesOf(reshape, 'shape')) : shape);
    if (reshape && String(shape) !== String(spec.shape)) seen.set(name, { ...spec, shape });
  }
  return [...seen.values()];
}

/** @param shape the shape of the graph's tensor according to the configuration */
function checkTensor(
  role: string,
  message: TextProtoMessage,
  spec: TensorSpec,
  shape: readonly number[],
): void {
  const type = nameOf(message, 'data_type').replace(/^TYPE_/, '');
  const datatype = DATATYPES[type] ?? type;
  const saysShape = ['dims', 'reshape'].some((field) => message.fields.has(field));
  const fits = spec.isRankDynamic || (shape.length === spec.shape.length && shape.every(isLike(spec.shape)));
  if ((datatype === '' || datatype === spec.datatype) && (!saysShape || fits)) return;
  throw new ModelError(
    `its ${TRITON_FILE} says that ${role} "${spec.name}" is ${datatype || spec.datatype} [${shape}], but its graph says ${spec.datatype} [${spec.shape}]`,
  );
}

function findReshaped(view: GraphView, seen: GraphView): Record<string, number[]> | undefined {
  const before = new Set([...view.inputs, ...view.outputs]);
  const reshaped = [...seen.inputs, ...seen.outputs].filter((spec) => !before.has(spec));
  if (reshaped.length === 0) return undefined;
  return Object.fromEntries(reshaped.map(({ name, shape }) => [name, [...shape]]));
}

function isLike(expected: readonly number[]): (size: number, axis: number) => boolean {
  return (size, axis) => size === -1 || expected[axis] === -1 || expected[axis] === size;
}

/** The labels of the only output with a label file, one per line; the file is next to `config.pbtxt`. */
async function withLabelNames(
  config: ModelConfig,
  message: TextProtoMessage,
  folder: FormatFolder,
  view: GraphView,
  reader: ConfigReader,
): Promise<ModelConfig> {
  const [labelled, ...others] = messagesOf(message, 'output').filter((output) =>
    output.fields.has('label_filename'),
  );
  if (!labelled || others.length > 0) return config;
  const file = textOf(labelled, 'label_filename');
  const text = isPlainPath(file) ? await folder.readShared(file) : undefined;
  if (text === undefined) {
    throw new ModelError(
      `its ${TRITON_FILE} names the label file ${JSON.stringify(file.slice(0, 60))}, which does not exist`,
    );
  }
  const labels = readLabelLines(text);
  const name = textOf(labelled, 'name');
  checkLabelCount(
    labels,
    view.outputs.find((output) => output.name === name),
    file,
  );
  return addLabels(config, labels, reader);
}
