import type { Work } from '../../../work.ts';
import type { Kernels } from './kernels.ts';
import { GROUP_PIXELS, LOW_BITS } from './simd-module.ts';

/** How many pairs hold this many rows. */
export function pairsOf(rows: number): number {
  return Math.ceil(rows / 2);
}

/** The weights of a row's pixels as `rows3` and `rows4` read them. */
export const packHorizontal = remember(function* (kernels: Kernels) {
  const { starts, lengths, weights, stride } = kernels;
  const packed = new Int32Array(lengths.reduce((sum, length) => sum + 2 + 4 * groupsOf(length), 0));
  let at = 0;
  const run = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const groups = groupsOf(lengths[i] ?? 0);
      packed[at++] = starts[i] ?? 0;
      packed[at++] = groups;
      for (let k = 0; k < groups * GROUP_PIXELS; k += GROUP_PIXELS) {
        const first = weightAt(weights, i * stride, k, stride);
        const second = weightAt(weights, i * stride, k + 1, stride);
        const third = weightAt(weights, i * stride, k + 2, stride);
        const fourth = weightAt(weights, i * stride, k + 3, stride);
        packed[at++] = lowParts(first, second);
        packed[at++] = lowParts(third, fourth);
        packed[at++] = highParts(first, second);
        packed[at++] = highParts(third, fourth);
      }
    }
  };
  yield { count: starts.length, cost: stride * PACKING_COST, run };
  return packed;
});

/** At least one group: the loop over them always runs once. */
function groupsOf(length: number): number {
  return Math.max(1, Math.ceil(length / GROUP_PIXELS));
}

/** The weights of a column's pixels as `columns` reads them: each column has as many pairs as the largest kernel. */
export const packVertical = remember(function* (kernels: Kernels) {
  const { starts, weights, stride } = kernels;
  const pairs = pairsOf(stride);
  const packed = new Int32Array(starts.length * pairs * 2);
  const run = (from: number, to: number) => {
    for (let i = from, at = from * pairs * 2; i < to; i++) {
      for (let k = 0; k < pairs * 2; k += 2) {
        const upper = weightAt(weights, i * stride, k, stride);
        const lower = weightAt(weights, i * stride, k + 1, stride);
        packed[at++] = lowParts(upper, lower);
        packed[at++] = highParts(upper, lower);
      }
    }
  };
  yield { count: starts.length, cost: stride * PACKING_COST, run };
  return packed;
});

/** Packing a weight takes as long as this many products. */
const PACKING_COST = 4;

function weightAt(weights: Int32Array, first: number, k: number, stride: number): number {
  return k < stride ? (weights[first + k] ?? 0) : 0;
}

/** Two int16 of an int32, the first in the lower half. */
function lowParts(a: number, b: number): number {
  const mask = 2 ** LOW_BITS - 1;
  return (a & mask) | ((b & mask) << 16);
}

function highParts(a: number, b: number): number {
  return ((a >> LOW_BITS) & 0xffff) | ((b >> LOW_BITS) << 16);
}

/** Packed weights are kept as long as their kernels. */
function remember(
  pack: (kernels: Kernels) => Work<Int32Array<ArrayBuffer>>,
): (kernels: Kernels) => Work<Uint8Array> {
  const known = new WeakMap<Kernels, Uint8Array>();
  return function* (kernels) {
    const packed = known.get(kernels) ?? new Uint8Array((yield* pack(kernels)).buffer);
    known.set(kernels, packed);
    return packed;
  };
}
