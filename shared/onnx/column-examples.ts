import { ATTRIBUTE, TENSOR } from './fields.ts';
import { ML_DOMAIN, type Node, readName } from './nodes.ts';
import { type ByteSource, type Field, readFields, readText, readVarints } from './protobuf.ts';
import type { ValueInfo } from './value-info.ts';

/** What a graph shows about the values that a column had in training. */
export interface ColumnExample {
  /** One of them. */
  readonly value: string | number;
  /** All texts that its encoders know; undefined if they are not known, or too many. */
  readonly categories: readonly string[] | undefined;
}

/** For each column of an input; undefined for columns of which nothing is known. */
export type ColumnExamples = ReadonlyMap<string, readonly (ColumnExample | undefined)[]>;

/** A column of an input of the graph. */
interface Column {
  readonly input: string;
  readonly index: number;
  /** Whether its texts are changed on their way, so that encoders know others. */
  readonly isChanged?: boolean;
}

/** Operators that pass all columns of their first input in the same order. */
const PASSING = ['Identity', 'Cast', 'Flatten', 'StringNormalizer', 'Imputer'];
/** Most columns of an example; nobody reads more. */
const MOST_COLUMNS = 4096;
/** Most categories of all columns together: to read them takes about a microsecond each, whenever the model is loaded. */
const MOST_CATEGORIES = 20_000;

/**
 * Example values from the encoders and scalers of a graph: a category of each encoded column, and the mean of each
 * scaled column.
 * Source: OneHotEncoder, LabelEncoder, Scaler and ArrayFeatureExtractor in the ONNX-ML operator list.
 *
 * @param nodes in the order of the graph: each node comes after those that make its inputs
 * @param constants initializers by name
 * @param fillsIn whether a node passes its last input, with another text for each missing one
 */
export function findColumnExamples(
  source: ByteSource,
  nodes: readonly Node[],
  inputs: readonly ValueInfo[],
  constants: () => ReadonlyMap<string, Field>,
  fillsIn: (node: Node) => boolean,
): ColumnExamples {
  const columns = new Map<string, readonly Column[]>(inputs.map((input) => [input.name, columnsOf(input)]));
  const examples = new Map(inputs.map(({ name }) => [name, [] as (ColumnExample | undefined)[]]));
  let room = MOST_CATEGORIES;
  const note = ({ input, index }: Column, value: string | number, categories?: readonly string[]) => {
    const known = examples.get(input);
    if (!known) return;
    const before = known[index];
    // Each encoder of a column knows the same ones, or some of them.
    const all = before?.categories && categories ? [...before.categories, ...categories] : categories;
    known[index] = { value: before?.value ?? value, categories: all ?? before?.categories };
  };
  for (const node of nodes) {
    const [first = '', second = '', third = ''] = node.inputs;
    const given = columns.get(fillsIn(node) ? third : first);
    const [output = ''] = node.outputs;
    if (node.type === 'Concat') {
      const joined = joinColumns(source, node, columns);
      if (joined) columns.set(output, joined);
    }
    if (!given) continue;
    const isKept =
      PASSING.includes(node.type) || (node.type === 'Reshape' && given.length === 1) || fillsIn(node);
    const isChanged = node.type === 'StringNormalizer';
    if (isKept) columns.set(output, isChanged ? given.map((column) => ({ ...column, isChanged })) : given);
    if (node.domain !== ML_DOMAIN) continue;
    if (node.type === 'ArrayFeatureExtractor') {
      const field = constants().get(second);
      const picked = field ? readIndices(source, field).map((index) => given[index]) : [];
      const known = picked.filter((column) => column !== undefined);
      if (known.length > 0 && known.length === picked.length) columns.set(output, known);
    }
    const [only, ...others] = given;
    const texts = only && others.length === 0 ? readTexts(source, node, room) : [];
    const text = texts.find((each) => each !== '');
    if (only && text !== undefined) {
      const isWhole = texts.length <= room && !only.isChanged;
      if (isWhole) room -= texts.length;
      note(only, text, isWhole ? texts : undefined);
    }
    if (node.type !== 'Scaler') continue;
    const offsets = readOffsets(source, node);
    for (const [index, column] of given.entries()) {
      const offset = offsets[index];
      if (offset !== undefined) note(column, offset);
    }
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

/** The categories of an encoder, but not many more than there is room for: one of them is wanted in any case. */
function readTexts(source: ByteSource, { type, attributes }: Node, room: number): readonly string[] {
  const name = ENCODERS.get(type);
  const list = name && attributes.find((each) => readName(source, each, ATTRIBUTE.name) === name);
  if (!list) return [];
  const texts: string[] = [];
  for (const member of readFields(source, list.start, list.end, (number) => number === ATTRIBUTE.strings)) {
    texts.push(readText(source, member));
    if (texts.length > room + 1) break;
  }
  return texts;
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
