import { ANY, add, type Bounds, SHARE } from './bounds.ts';
import { ATTRIBUTE, TENSOR } from './fields.ts';
import { type AttributeHolder, findAttribute, readIntegers, readNumber } from './node-attributes.ts';
import {
  type ByteSource,
  bytesSource,
  type Field,
  ProtobufError,
  readFields,
  readVarints,
} from './protobuf.ts';

/** The leaves of a forest hold the share of a tree's samples in each class, divided by the number of trees. */
export function forestBounds(node: AttributeHolder): Bounds {
  const weights = rangeOfAttribute(node, 'class_weights', 'class_weights_as_tensor');
  return sumOfTrees(node, weights, countIds(node, 'class_treeids'));
}

/** Source: TreeEnsemble in version 5 of ONNX-ML (`aggregate_function`, `post_transform`). */
export function ensembleBounds(node: AttributeHolder): Bounds {
  const transform = readNumber(node, 'post_transform', 0);
  if (transform !== undefined && transform >= 1 && transform <= 3) return SHARE;
  const isSum = readNumber(node, 'aggregate_function', 1) === 1;
  if (transform !== 0 || !isSum) return ANY;
  return sumOfTrees(node, rangeOfAttribute(node, 'leaf_weights'), readIntegers(node, 'tree_roots').length);
}

function sumOfTrees(node: AttributeHolder, { low, high }: Bounds, trees: number): Bounds {
  const hasBase = ['base_values', 'base_values_as_tensor'].some((name) => findAttribute(node, name));
  const sum = { low: trees * Math.min(0, low), high: trees * Math.max(0, high) };
  return hasBase ? add(rangeOfAttribute(node, 'base_values', 'base_values_as_tensor'), sum) : sum;
}

/** The range of the numbers in the first of these attributes that exists. */
function rangeOfAttribute(node: AttributeHolder, ...names: readonly string[]): Bounds {
  const [attribute] = names.flatMap((name) => findAttribute(node, name) ?? []);
  return attribute ? rangeOfNumbers(node.source.bytes(attribute.start, attribute.end)) : ANY;
}

const FLOAT_TAG = (ATTRIBUTE.floats << 3) | 5;
const INTEGER_TAG = ATTRIBUTE.ints << 3;

/** Forests have millions of numbers, each in its own field. They are read in place, and not kept. */
function rangeOfNumbers(content: Uint8Array): Bounds {
  const source = bytesSource(content);
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const include = (value: number) => {
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (let at = 0; at < content.length; ) {
    if (content[at] === FLOAT_TAG && at + 5 <= content.length) {
      include(view.getFloat32(at + 1, true));
      at += 5;
      continue;
    }
    const member = nextField(source, at);
    if (member.number === ATTRIBUTE.floats) visitRaw(view, member, 4, include);
    if (member.number === ATTRIBUTE.tensor) visitTensor(source, view, member, include);
    at = member.end;
  }
  return low <= high ? { low, high } : ANY;
}

function nextField(source: ByteSource, at: number): Field {
  for (const field of readFields(source, at)) return field;
  throw new ProtobufError(`no field at byte ${at}`);
}

const DOUBLE = 11;

function visitTensor(source: ByteSource, view: DataView, { start, end }: Field, visit: Visit): void {
  const members = [...readFields(source, start, end)];
  const isDouble = members.some(({ number, value }) => number === TENSOR.type && value === DOUBLE);
  for (const member of members) {
    if (NUMBERS.includes(member.number)) visitRaw(view, member, isDouble ? 8 : 4, visit);
  }
}

const NUMBERS: readonly number[] = [TENSOR.floats, TENSOR.raw, TENSOR.doubles];

type Visit = (value: number) => void;

function visitRaw(view: DataView, { start, end }: Field, size: 4 | 8, visit: Visit): void {
  for (let at = start; at + size <= end; at += size) {
    visit(size === 8 ? view.getFloat64(at, true) : view.getFloat32(at, true));
  }
}

/** The number of different ids in an attribute. */
export function countIds(node: AttributeHolder, name: string): number {
  const attribute = findAttribute(node, name);
  if (!attribute) return 0;
  const content = node.source.bytes(attribute.start, attribute.end);
  const source = bytesSource(content);
  const ids = new Set<number>();
  for (let at = 0; at < content.length; ) {
    const first = content[at + 1] ?? 0;
    if (content[at] === INTEGER_TAG && first < 0x80) {
      ids.add(first);
      at += 2;
      continue;
    }
    const member = nextField(source, at);
    if (member.number === ATTRIBUTE.ints) for (const id of readVarints(source, member)) ids.add(id);
    at = member.end;
  }
  return ids.size;
}
