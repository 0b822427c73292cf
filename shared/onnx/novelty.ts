import type { Edit } from './edits.ts';
import { MODEL } from './fields.ts';
import { NEWEST_IR_VERSION, type Novelty } from './ir-version.ts';
import { type ByteSource, encodeVarintField, type Field, readFields } from './protobuf.ts';
import { modelMessage } from './walk.ts';

/** What a field of a message holds: a message, a datatype, a number up to a maximum, or anything. */
type Content = string | number | typeof DATATYPE | null;

const DATATYPE = Symbol('datatype');
const NEWEST_DATATYPE = 26;

/** Fields that hold numbers, texts and bytes. */
function plain(...numbers: readonly number[]): Record<number, Content> {
  return Object.fromEntries(numbers.map((number) => [number, null]));
}

/** All fields that the runtime knows. Source: onnx.proto (ONNX 1.20, IR version 13). */
const MESSAGES: Readonly<Record<string, Readonly<Record<number, Content>>>> = {
  model: {
    ...plain(1, 2, 3, 4, 5, 6),
    7: 'graph',
    8: 'operator set',
    14: 'pair',
    20: 'training',
    25: 'function',
    26: 'configuration',
  },
  'operator set': plain(1, 2),
  pair: plain(1, 2),
  training: { 1: 'graph', 2: 'graph', 3: 'pair', 4: 'pair' },
  configuration: plain(1, 2, 3),
  function: {
    ...plain(1, 4, 5, 6, 8, 10, 13),
    7: 'node',
    9: 'operator set',
    11: 'attribute',
    12: 'value',
    14: 'pair',
  },
  graph: {
    ...plain(2, 10),
    1: 'node',
    5: 'tensor',
    11: 'value',
    12: 'value',
    13: 'value',
    14: 'annotation',
    15: 'sparse tensor',
    16: 'pair',
  },
  annotation: { ...plain(1), 2: 'pair' },
  node: { ...plain(1, 2, 3, 4, 6, 7, 8), 5: 'attribute', 9: 'pair', 10: 'node configuration' },
  'node configuration': { ...plain(1, 3), 2: 'sharding' },
  sharding: { ...plain(1, 2), 3: 'pair', 4: 'sharded axis' },
  'sharded axis': { ...plain(1), 2: 'simple sharding' },
  'simple sharding': plain(1, 2, 3),
  attribute: {
    ...plain(1, 2, 3, 4, 7, 8, 9, 13, 21),
    5: 'tensor',
    6: 'graph',
    10: 'tensor',
    11: 'graph',
    14: 'type',
    15: 'type',
    20: 14,
    22: 'sparse tensor',
    23: 'sparse tensor',
  },
  tensor: {
    ...plain(1, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    2: DATATYPE,
    3: 'pair',
    13: 'pair',
    14: 1,
    16: 'pair',
  },
  'sparse tensor': { 1: 'tensor', 2: 'tensor', 3: null },
  value: { ...plain(1, 3), 2: 'type', 4: 'pair' },
  type: {
    1: 'tensor type',
    4: 'type of members',
    5: 'map type',
    6: null,
    7: 'pair',
    8: 'tensor type',
    9: 'type of members',
  },
  'tensor type': { 1: DATATYPE, 2: 'shape' },
  'type of members': { 1: 'type' },
  'map type': { 1: DATATYPE, 2: 'type' },
  shape: { 1: 'axis' },
  axis: plain(1, 2, 3),
};

/**
 * The first thing in a file that the runtime does not know; the runtime silently skips such fields. A file without any
 * means the same in an older version of the format.
 *
 * @throws ProtobufError when the bytes are not a protocol buffers message
 */
export function findNovelty(source: ByteSource): Novelty | undefined {
  // A list instead of recursion, as graphs can be nested deeper than the call stack allows.
  const open: (Pick<Field, 'start' | 'end'> & { readonly message: string })[] = [
    { message: 'model', start: 0, end: source.length },
  ];
  for (let next = open.pop(); next; next = open.pop()) {
    const { message, start, end } = next;
    const known = MESSAGES[message] ?? {};
    for (const field of readFields(source, start, end, (number) => known[number] !== null)) {
      const { number, value } = field;
      const content = known[number];
      if (content === undefined) return { kind: 'field', message, number };
      if (content === DATATYPE && value > NEWEST_DATATYPE) return { kind: 'datatype', number: value };
      if (typeof content === 'number' && value > content) return { kind: 'field', message, number };
      if (typeof content === 'string') open.push({ message: content, start: field.start, end: field.end });
    }
  }
  return undefined;
}

/** Converts a file with a newer format version into one that the runtime accepts. */
export function lowerIrVersion(source: ByteSource): Edit[] {
  const inside = modelMessage(source);
  const bytes = encodeVarintField(MODEL.irVersion, NEWEST_IR_VERSION);
  const said = readFields(source, 0, source.length, (number) => number === MODEL.irVersion);
  return [...said].map(({ fieldStart, end }) => ({ start: fieldStart, end, bytes, inside }));
}
