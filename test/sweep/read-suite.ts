import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ATTRIBUTE, GRAPH, MODEL, OPSET } from '../../shared/onnx/fields.ts';
import { renameLocales } from '../../shared/onnx/locales.ts';
import { type Node, readNode } from '../../shared/onnx/nodes.ts';
import { bytesSource, type Field, readFields, readText, readVarints } from '../../shared/onnx/protobuf.ts';
import { rewriteModel } from '../../shared/onnx/rewrite-model.ts';
import { DATATYPES, datatypeOfOnnxCode } from '../../shared/tensor/datatype.ts';
import type { Tensor } from '../../shared/tensor/tensor.ts';
import type { Feeds } from './conditions.ts';
import { textOf } from './messages.ts';
import { fedNames, findModel, type OpenInput, type OpenOptions, readOpenInputs } from './open-model.ts';

/** The last version whose package ships the tests of the backend suite. */
export const SUITE_VERSION = '1.21.0';

/** Of an attribute, in onnx.proto. */
const FLOATS = 7;

/** A model with a value for each of its inputs. */
export interface SweepCase {
  readonly name: string;
  readonly domain: string;
  readonly operator: string;
  readonly opset: number;
  /** Types of the inputs, as `TensorProto.DataType`. */
  readonly types: readonly number[];
  readonly inputs: readonly string[];
  readonly nodes: number;
  /** Of the operator, as `name=value`. */
  readonly attributes: string;
  readonly feeds: Feeds;
  /** Distinguishes cases of an operator that fail independently: the equation, the pattern, the type. */
  readonly label?: string;
  /** The model with open shapes. */
  open(options?: OpenOptions): Uint8Array;
}

/** Fetches the package `onnx` into the cache unless it is there: the folder of its tests. */
export function fetchSuite(): string {
  const cache = join(process.env.XDG_CACHE_HOME ?? tmpdir(), 'ternion-sweep');
  const folder = join(cache, `onnx-${SUITE_VERSION}`);
  const tests = join(folder, 'onnx/backend/test/data/node');
  if (existsSync(tests)) return tests;
  const download = join(cache, 'download');
  mkdirSync(download, { recursive: true });
  const run = (args: readonly string[]) => execFileSync('python3', ['-m', ...args], { stdio: 'inherit' });
  run([
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--dest',
    download,
    `onnx==${SUITE_VERSION}`,
  ]);
  const [wheel] = globSync(`onnx-${SUITE_VERSION}-*.whl`, { cwd: download });
  if (wheel === undefined) throw new Error(`pip left no wheel of onnx ${SUITE_VERSION} in ${download}`);
  run(['zipfile', '-e', join(download, wheel), `${folder}.part`]);
  renameSync(`${folder}.part`, folder);
  return tests;
}

/**
 * The cases of the suite, without those that write their operator out as a function: the operators of such a function
 * have cases of their own.
 */
export function readSuite(tests: string): SweepCase[] {
  return globSync('*/model.onnx', { cwd: tests })
    .map((path) => basename(join(path, '..')))
    .filter((name) => !name.includes('_expanded'))
    .sort()
    .map((name) => readCase(name, join(tests, name)));
}

function readCase(name: string, folder: string): SweepCase {
  const file = bytesSource(readFileSync(join(folder, 'model.onnx')));
  const model = rewriteModel(file, [renameLocales]);
  const inputs = readOpenInputs(model);
  const lengths = new Map<string, number>();
  const feeds = new Map<string, Tensor>();
  for (const [index, input] of inputs.entries()) {
    const file = join(folder, 'test_data_set_0', `input_${index}.pb`);
    const tensors = existsSync(file) ? readValues(readFileSync(file), input) : [];
    lengths.set(input.name, tensors.length);
    for (const [i, fedName] of fedNames(input, tensors.length).entries()) {
      const tensor = tensors[i];
      if (tensor) feeds.set(fedName, tensor);
    }
  }
  return describeCase(name, model, inputs, feeds, lengths);
}

/** A case made of a model and its feeds. */
export function describeCase(
  name: string,
  model: Uint8Array,
  inputs: readonly OpenInput[],
  feeds: Feeds,
  lengths: ReadonlyMap<string, number> = new Map(),
): SweepCase {
  const source = bytesSource(model);
  const opsets = new Map<string, number>();
  const nodes: Node[] = [];
  for (const field of readFields(source)) {
    if (field.number === MODEL.opsetImport) {
      const [version] = [...readFields(source, field.start, field.end)].filter(
        ({ number }) => number === OPSET.version,
      );
      opsets.set(textOf(model, field, OPSET.domain), version?.value ?? 0);
    }
    if (field.number !== MODEL.graph) continue;
    for (const part of readFields(source, field.start, field.end)) {
      if (part.number === GRAPH.node) nodes.push(readNode(source, part));
    }
  }
  const named = nodes.find(({ type }) => name.replaceAll('_', '').includes(type.toLowerCase()));
  const node = named ?? nodes.findLast(({ type }) => type !== 'Constant') ?? nodes[0];
  if (!node) throw new Error(`${name} has no node`);
  return {
    name,
    domain: node.domain,
    operator: node.type,
    opset: opsets.get(node.domain) ?? 0,
    types: inputs.map(({ elementType }) => elementType),
    inputs: inputs.map((input) => input.name),
    nodes: nodes.length,
    attributes: node.attributes.map((attribute) => describeAttribute(model, attribute)).join(', '),
    feeds,
    open: (options) => findModel(model, { lengths, ...options }),
  };
}

function describeAttribute(model: Uint8Array, attribute: Field): string {
  const source = bytesSource(model);
  const values: string[] = [];
  for (const field of readFields(source, attribute.start, attribute.end)) {
    if (field.number === ATTRIBUTE.integer) values.push(String(field.value));
    if (field.number === ATTRIBUTE.float || field.number === FLOATS)
      values.push(describeFloats(model, field));
    if (field.number === ATTRIBUTE.string || field.number === ATTRIBUTE.strings)
      values.push(readText(source, field));
    if (field.number === ATTRIBUTE.ints) values.push(...readVarints(source, field).map(String));
  }
  return `${textOf(model, attribute, ATTRIBUTE.name)}=${values.join(' ') || '…'}`;
}

function describeFloats(model: Uint8Array, { start, end }: Field): string {
  return new Float32Array(Uint8Array.from(model.subarray(start, end)).buffer).join(' ');
}

function readValues(bytes: Uint8Array, input: OpenInput): Tensor[] {
  const source = bytesSource(bytes);
  const all: Field = { number: 0, wireType: 2, value: 0, fieldStart: 0, start: 0, end: bytes.length };
  if (!input.isOptional && input.kind === 'tensor') return [readTensor(bytes, all)];
  const within = (message: Field, number: number) =>
    [...readFields(source, message.start, message.end)].filter((field) => field.number === number);
  // OptionalProto: a tensor is field 3 and a sequence field 5; SequenceProto: its tensors are field 3.
  if (!input.isOptional) return within(all, 3).map((field) => readTensor(bytes, field));
  if (input.kind === 'tensor') return within(all, 3).map((field) => readTensor(bytes, field));
  return within(all, 5)
    .flatMap((field) => within(field, 3))
    .map((field) => readTensor(bytes, field));
}

function readTensor(bytes: Uint8Array, message: Field): Tensor {
  const source = bytesSource(bytes);
  const shape: number[] = [];
  const texts: string[] = [];
  const integers: number[] = [];
  let floats: Uint8Array | undefined;
  let code = 0;
  let raw: Uint8Array | undefined;
  for (const field of readFields(source, message.start, message.end)) {
    if (field.number === 1) shape.push(...readVarints(source, field));
    if (field.number === 2) code = field.value;
    if (field.number === 4) floats = source.bytes(field.start, field.end);
    if (field.number === 5 || field.number === 7 || field.number === 11)
      integers.push(...readVarints(source, field));
    if (field.number === 6) texts.push(readText(source, field));
    if (field.number === 9) raw = source.bytes(field.start, field.end);
  }
  const length = shape.reduce((product, size) => product * size, 1);
  const datatype = datatypeOfOnnxCode(code);
  if (datatype === undefined) {
    // Cast in the graph, from whole numbers that all these types have.
    return { datatype: 'FP32', shape, data: Float32Array.from({ length }, (_, i) => i % 3) };
  }
  if (datatype === 'BYTES') return { datatype, shape, data: texts };
  const content = raw ?? floats;
  const info = DATATYPES[datatype];
  if (!content) return { datatype, shape, data: info.fromNumbers(integers) };
  if (!('view' in info)) throw new Error(`no view of ${datatype}`);
  return { datatype, shape, data: info.view(Uint8Array.from(content).buffer, 0, length) };
}
