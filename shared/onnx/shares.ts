import type { Bounds } from './bounds.ts';
import { findMaker, type Maker, rootOf, type Search } from './bounds-search.ts';
import { findAttribute, readNumber } from './node-attributes.ts';

/**
 * Most additions to a sum that keep it from being 0. Each can have a sum on either side, so searching more takes long.
 */
const MOST_GUARDS = 6;

/** Whether a value is divided by the sum of which it is a part. Small numbers may be added to that sum. */
export function isShare(
  search: Search,
  { inputs: [part = '', divisor = ''] }: Maker,
  parts: Bounds,
  steps: number,
): boolean {
  if (parts.low < 0) return false;
  const root = rootOf(search, part);
  return isSumOf(search, divisor, root, steps) || isShareWhereNothing(search, root, divisor, steps);
}

/** The same by way of the reciprocal of the sum. */
export function isTimesShare(
  search: Search,
  { inputs: [part = '', factor = ''] }: Maker,
  parts: Bounds,
  steps: number,
): boolean {
  const maker = findMaker(search, factor);
  const isReciprocal = parts.low >= 0 && maker?.type === 'Reciprocal';
  return isReciprocal && isSumOf(search, maker.inputs[0] ?? '', rootOf(search, part), steps);
}

/** If all parts are 0, scikit-learn's converter adds 1 to each of them, and their number to the sum. */
function isShareWhereNothing(search: Search, part: string, divisor: string, steps: number): boolean {
  const [partMaker, sumMaker] = [findMaker(search, part), findMaker(search, rootOf(search, divisor))];
  if (partMaker?.type !== 'Add' || sumMaker?.type !== 'Add') return false;
  const [value = '', added = ''] = partMaker.inputs;
  const [sumOfValues = '', addedToSum = ''] = sumMaker.inputs;
  const multiple = findMaker(search, addedToSum);
  return (
    isSumOf(search, sumOfValues, rootOf(search, value), steps) &&
    multiple?.type === 'Mul' &&
    multiple.inputs[0] === added &&
    search.boundsOf(search, multiple.inputs[1] ?? '', steps + 1).low >= 1
  );
}

function isSumOf(search: Search, name: string, part: string, steps: number, guards = 0): boolean {
  if (guards > MOST_GUARDS) return false;
  const maker = findMaker(search, rootOf(search, name));
  if (!maker) return false;
  const { type, inputs } = maker;
  const isSum = (index: number) => isSumOf(search, inputs[index] ?? '', part, steps + 1, guards + 1);
  const isNotNegative = (index: number) => search.boundsOf(search, inputs[index] ?? '', steps + 1).low >= 0;
  switch (type) {
    case 'ReduceSum':
    case 'ReduceL1':
      // If the summed axis is dropped, the division would broadcast along another one, unless the axis is restored.
      return (keepsAxes(maker) || maker.outputs[0] !== name) && rootOf(search, inputs[0] ?? '') === part;
    case 'Clip':
      return !hasMost(maker) && isSum(0);
    case 'Expand':
      return isSum(0);
    case 'Add':
    case 'Max':
      return (isSum(0) && isNotNegative(1)) || (isSum(1) && isNotNegative(0));
    case 'Where':
      return isTestOf(search, inputs[0], inputs[2]) && isSum(2) && isNotNegative(1);
    default:
      return false;
  }
}

function keepsAxes(maker: Maker): boolean {
  return readNumber(maker, 'keepdims', 1) === 1;
}

function hasMost(maker: Maker): boolean {
  return Boolean(maker.inputs[2]) || findAttribute(maker, 'max') !== undefined;
}

/** Whether a condition is that a value is equal to another one, such as a sum to 0. */
function isTestOf(search: Search, condition = '', value = ''): boolean {
  const maker = findMaker(search, condition);
  const root = rootOf(search, value);
  return maker?.type === 'Equal' && maker.inputs.some((input) => rootOf(search, input) === root);
}

/**
 * Whether the maximum of a value, or the logarithm of the sum of its exponentials, is subtracted from it, as a softmax
 * does.
 */
export function isLogOfShare(search: Search, { inputs: [value = '', subtracted = ''] }: Maker): boolean {
  const maker = findMaker(search, rootOf(search, subtracted));
  const root = rootOf(search, value);
  if (maker?.type === 'ReduceLogSumExp' || maker?.type === 'ReduceMax') {
    return rootOf(search, maker.inputs[0] ?? '') === root;
  }
  const summed = maker?.type === 'Log' ? findMaker(search, rootOf(search, maker.inputs[0] ?? '')) : undefined;
  const powers =
    summed?.type === 'ReduceSum' ? findMaker(search, rootOf(search, summed.inputs[0] ?? '')) : undefined;
  return powers?.type === 'Exp' && rootOf(search, powers.inputs[0] ?? '') === root;
}
