import { ATTRIBUTE, TENSOR } from './fields.ts';
import { ML_DOMAIN, type Node, readName } from './nodes.ts';
import { type ByteSource, type Field, readFields, readText, readVarints } from './protobuf.ts';
import type { ValueInfo } from './value-info.ts';

/** A value from training for each column of an input; undefined for columns without a known value. */
export type ColumnExamples = ReadonlyMap<string, readonly (string | number | undefined)[]>;

/** A column of an input of the graph. */
interface Column {
  readonly input: string;
  readonly index: number;
}

/** Operators that pass all columns of their first input in the same order. */
const PASSING = ['Identity', 'Cast', 'Flatten', 'StringNormalizer', 'Imputer'];
/** Most columns of an example; nobody reads more. */
const MOST_COLUMNS = 4096;

/**
 * Example values from the encoders and scalers of a graph: a category of each encoded column, and the mean of each
 * scaled column.
 * Source: OneHotEncoder, LabelEncoder, Scaler and ArrayFeatureExtractor in the ONNX-ML operator list.
 *
 * @param nodes in the order of the graph: each node comes after those that make its inputs
 * @param constants initializers by name
 */
export function findColumnExamples(
  source: ByteSource,
  nodes: readonly Node[],
  inputs: readonly ValueInfo[],
  constants: () => ReadonlyMap<string, Field>,
): ColumnExamples {
  const columns = new Map<string, readonly Column[]>(inputs.map((input) => [input.name, columnsOf(input)]));
  const examples = new Map(inputs.map(({ name }) => [name, [] as (string | number | undefined)[]]));
  const note = ({ input, index }: Column, value: string | number | undefined) => {
    const known = examples.get(input);
    if (known && value !== undefined) known[index] ??= value;
  };
  for (const node of nodes) {
    const [first = '', second = ''] = node.inputs;
    const given = columns.get(first);
    const [output = ''] = node.outputs;
    if (node.type === 'Concat') {
      const joined = joinColumns(source, node, columns);
      if (joined) columns.set(output, joined);
    }
    if (!given) continue;
    const isKept = PASSING.includes(node.type) || (node.type === 'Reshape' && given.length === 1);
    if (isKept) columns.set(output, given);
    if (node.domain !== ML_DOMAIN) continue;
    if (node.type === 'ArrayFeatureExtractor') {
      const field = constants().get(second);
      const picked = field ? readIndices(source, field).map((index) => given[index]) : [];
      const known = picked.filter((column) => column !== undefined);
      if (known.length > 0 && known.length === picked.length) columns.set(output, known);
    }
    const [only, ...others] = given;
    if (only && others.length === 0) note(only, firstText(source, node));
    if (node.type !== 'Scaler') continue;
    const offsets = readOffsets(source, node);
    for (const [index, column] of given.entries()) note(column, offsets[index]);
  }
  return examples;
}

/** Columns of concatenated matrices; undefined if those of one of them are unknown, or there are too many. */
function joinColumns(
  source: ByteSource,
  { inputs, attributes }: Node,
  columns: ReadonlyMap<string, readonly Column[]>,
): readonly Column[] | undefined {
  const axis = attributes.find((each) => readName(source, each, ATTRIBUTE.name) === 'axis');
  const isOfColumns = axis
    ? [...readFields(source, axis.start, axis.end)].some(
        ({ number, value }) => number === ATTRIBUTE.integer && (value === 1 || value === -1),
      )
    : false;
  const joined: Column[] = [];
  for (const name of inputs) {
    const part = columns.get(name);
    if (!isOfColumns || !part || joined.length + part.length > MOST_COLUMNS) return undefined;
    joined.push(...part);
  }
  return joined;
}

function columnsOf({ name, shape = [] }: ValueInfo): readonly Column[] {
  const width = shape.length < 2 ? 1 : shape[1];
  if (typeof width !== 'number' || width > MOST_COLUMNS) return [];
  return Array.from({ length: width }, (_, index) => ({ input: name, index }));
}

/** The first category of an encoder that is not empty. */
function firstText(source: ByteSource, { type, attributes }: Node): string | undefined {
  const name = ENCODERS.get(type);
  const list = name && attributes.find((each) => readName(source, each, ATTRIBUTE.name) === name);
  if (!list) return undefined;
  for (const member of readFields(source, list.start, list.end, (number) => number === ATTRIBUTE.strings)) {
    const text = readText(source, member);
    if (text !== '') return text;
  }
  return undefined;
}

const ENCODERS: ReadonlyMap<string, string> = new Map([
  ['OneHotEncoder', 'cats_strings'],
  ['LabelEncoder', 'keys_strings'],
  ['CategoryMapper', 'cats_strings'],
]);

/** Rounds to three digits, as these are means of training data. */
function readOffsets(source: ByteSource, { attributes }: Node): readonly number[] {
  const list = attributes.find((each) => readName(source, each, ATTRIBUTE.name) === 'offset');
  if (!list) return [];
  const isFloats = (number: number) => number === ATTRIBUTE.floats;
  return [...readFields(source, list.start, list.end, isFloats)].flatMap(({ start, end }) => {
    const bytes = source.bytes(start, end);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: bytes.length >> 2 }, (_, index) =>
      Number(view.getFloat32(4 * index, true).toPrecision(3)),
    );
  });
}

/** The whole numbers of a constant. */
function readIndices(source: ByteSource, { start, end }: Field): readonly number[] {
  const members = [...readFields(source, start, end)];
  const [raw] = members.filter(({ number }) => number === TENSOR.raw);
  if (raw) {
    const bytes = Buffer.from(source.bytes(raw.start, raw.end));
    return Array.from({ length: Math.min(MOST_COLUMNS, bytes.length >> 3) }, (_, index) =>
      Number(bytes.readBigInt64LE(8 * index)),
    );
  }
  return members
    .filter(({ number }) => number === TENSOR.int64s || number === TENSOR.int32s)
    .flatMap((member) => readVarints(source, member));
}
