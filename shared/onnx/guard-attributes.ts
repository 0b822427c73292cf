import { ATTRIBUTE } from './fields.ts';
import type { GuardedNode } from './guard-node.ts';
import type { Rule } from './guard-rules.ts';
import { findAttribute, readFloat, readIntegers, readNumber } from './node-attributes.ts';
import { readFields } from './protobuf.ts';

/** The most positions in one window of a pool. Its kernel visits each, inside or outside of the image. */
const LARGEST_WINDOW = 2 ** 24;
const LARGEST_INTEGER = 2 ** 31 - 1;

/** An attribute is a whole number in a range. If the caller of a function sets it, its value is unknown. */
export const isWithin =
  (name: string, low: number, high: number | ((node: GuardedNode) => number) = LARGEST_INTEGER): Rule =>
  (node) => {
    const number = readNumber(node, name, low);
    const most = typeof high === 'number' ? high : high(node);
    if (number !== undefined && !(number >= low && number <= most)) node.refuse(`has no usable ${name}`);
  };

/** The numbers of a list are not negative. */
export const areNotNegative =
  (name: string): Rule =>
  (node) => {
    const isUsable = readIntegers(node, name).every((number) => number >= 0 && number <= LARGEST_INTEGER);
    if (!isUsable) node.refuse(`has no usable ${name}`);
  };

/** The windows of a pool are limited in size. */
export const hasSmallWindow: Rule = (node) => {
  const places = readIntegers(node, 'kernel_shape').reduce((total, size) => total * size, 1);
  if (!(places <= LARGEST_WINDOW)) node.refuse('has no usable kernel_shape');
};

/** The scale of random numbers is positive and finite. */
export const hasPositiveScale: Rule = (node) => {
  const scale = readFloat(node, 'scale', 1);
  if (!(scale > 0 && Number.isFinite(scale))) node.refuse('has no usable scale');
};

/** The lower limit of random numbers is less than the upper one. */
export const hasRandomRange: Rule = (node) => {
  const [low, high] = [readFloat(node, 'low', 0), readFloat(node, 'high', 1)];
  if (!(low < high && Number.isFinite(low) && Number.isFinite(high)))
    node.refuse('has no usable low and high');
};

/**
 * The number of indices is that of the n-grams in the pool.
 * Source: TfIdfVectorizer in the ONNX operator list: `ngram_counts` says where in the pool the n-grams of each length
 * begin.
 */
export const hasIndexOfEach: Rule = (node) => {
  const counts = readIntegers(node, 'ngram_counts');
  const size = readIntegers(node, 'pool_int64s').length + countTexts(node, 'pool_strings');
  const grams = counts.reduce((total, start, at) => total + ((counts[at + 1] ?? size) - start) / (at + 1), 0);
  if (grams !== readIntegers(node, 'ngram_indexes').length) node.refuse('has no usable ngram_indexes');
};

function countTexts(node: GuardedNode, name: string): number {
  const attribute = findAttribute(node, name);
  if (!attribute) return 0;
  const { start, end } = attribute;
  return [...readFields(node.source, start, end, (number) => number === ATTRIBUTE.strings)].length;
}
