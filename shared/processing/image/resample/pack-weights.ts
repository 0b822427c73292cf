import type { Kernels } from './kernels.ts';
import { GROUP_PIXELS, LOW_BITS } from './simd-module.ts';

/** How many pairs of rows hold so many. */
export function pairsOf(rows: number): number {
  return Math.ceil(rows / 2);
}

/** The weights of a row's pixels as `rows3` and `rows4` read them. */
export const packAcross = remember(({ starts, lengths, weights, stride }: Kernels): Int32Array => {
  const packed: number[] = [];
  for (let i = 0; i < starts.length; i++) {
    // One group at least: the loop over them ends behind its first round at the soonest.
    const groups = Math.max(1, Math.ceil((lengths[i] ?? 0) / GROUP_PIXELS));
    packed.push(starts[i] ?? 0, groups);
    for (let k = 0; k < groups * GROUP_PIXELS; k += GROUP_PIXELS) {
      const [a, b, c, d] = [0, 1, 2, 3].map((next) => weightAt(weights, i * stride, k + next, stride));
      packed.push(lowParts(a, b), lowParts(c, d), highParts(a, b), highParts(c, d));
    }
  }
  return Int32Array.from(packed);
});

/** The weights of a column's pixels as `columns` reads them: as many pairs for each as the largest kernel has. */
export const packDown = remember(({ starts, weights, stride }: Kernels): Int32Array => {
  const pairs = pairsOf(stride);
  const packed = new Int32Array(starts.length * pairs * 2);
  for (let i = 0, to = 0; i < starts.length; i++) {
    for (let k = 0; k < pairs * 2; k += 2) {
      const upper = weightAt(weights, i * stride, k, stride);
      const lower = weightAt(weights, i * stride, k + 1, stride);
      packed[to++] = lowParts(upper, lower);
      packed[to++] = highParts(upper, lower);
    }
  }
  return packed;
});

function weightAt(weights: Int32Array, first: number, k: number, stride: number): number {
  return k < stride ? (weights[first + k] ?? 0) : 0;
}

/** Two int16 of an int32, the first in the lower half. */
function lowParts(a = 0, b = 0): number {
  const mask = 2 ** LOW_BITS - 1;
  return (a & mask) | ((b & mask) << 16);
}

function highParts(a = 0, b = 0): number {
  return ((a >> LOW_BITS) & 0xffff) | ((b >> LOW_BITS) << 16);
}

/** As long as kernels are kept, so is what is made of them. */
function remember(pack: (kernels: Kernels) => Int32Array): (kernels: Kernels) => Uint8Array {
  const known = new WeakMap<Kernels, Uint8Array>();
  return (kernels) => {
    const packed = known.get(kernels) ?? new Uint8Array(pack(kernels).buffer);
    known.set(kernels, packed);
    return packed;
  };
}
