import { type Tensor, toNumbers } from '../../../tensor/tensor.ts';

/** How the vectors of a text's tokens, or of an image's places, become one. */
export type Pooling = (typeof POOLINGS)[number];

export const POOLINGS = ['none', 'mean', 'cls', 'max', 'last', 'weightedMean', 'meanSqrt'] as const;

/** The smallest divisors of sentence-transformers and of `torch.nn.functional.normalize`. */
const LEAST_TOKENS = 1e-9;
const LEAST_NORM = 1e-12;

/** Vectors of equal length, one after the other. */
export interface Vectors {
  readonly count: number;
  readonly size: number;
  readonly values: Float64Array;
}

/**
 * The vectors of each row of an output. `[N, D]` has one per row, `[N, T, D]` one per token or patch, and
 * `[N, C, H, W]` one of C channels per place.
 */
export function readVectors(output: Tensor): Vectors[] {
  const numbers = toNumbers(output);
  const [rows = 1, ...axes] = output.shape;
  const width = rows === 0 ? 0 : numbers.length / rows;
  const [channels = 1, ...places] = axes;
  const isMap = axes.length === 3;
  const size = isMap ? channels : (axes.at(-1) ?? 1);
  const count = size === 0 ? 0 : width / size;
  return Array.from({ length: rows }, (_, row) => {
    const values = numbers.subarray(row * width, (row + 1) * width);
    return { count, size, values: isMap ? channelsLast(values, channels, places) : values };
  });
}

function channelsLast(planes: Float64Array, channels: number, places: readonly number[]): Float64Array {
  const area = places.reduce((product, side) => product * side, 1);
  const values = new Float64Array(planes.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < area; i++) values[i * channels + c] = planes[c * area + i] ?? 0;
  }
  return values;
}

/**
 * Pools many vectors into one, as sentence-transformers does when it pads on the right. Padding on the left changes
 * nothing here: `cls` is a text's first token and `weightedMean` counts its own tokens, while Pooling.py uses the
 * places in the row.
 *
 * @param mask 1 for each vector that counts; undefined: all do
 * @param skipped how many of the first vectors that count are left out, unless then no vector would be pooled.
 * `weightedMean` still weighs the others by their places among all.
 */
export function poolVectors(
  vectors: Vectors,
  mask: ArrayLike<number> | undefined,
  pooling: Pooling,
  skipped = 0,
): Vectors {
  const counted = keepCounted(vectors, mask);
  if (pooling === 'none') return counted;
  const { size, values } = counted;
  const count = Math.max(0, counted.count - skipped);
  const left = { count, size, values: values.subarray(values.length - count * size) };
  return { count: 1, size, values: POOLS[pooling](left, skipped) };
}

const POOLS: Record<Exclude<Pooling, 'none'>, (vectors: Vectors, skipped: number) => Float64Array> = {
  cls: ({ size, values }) => (values.length === 0 ? new Float64Array(size) : values.slice(0, size)),
  max: ({ size, values }) => {
    const most = new Float64Array(size).fill(values.length === 0 ? 0 : Number.NEGATIVE_INFINITY);
    for (let i = 0; i < values.length; i++) most[i % size] = Math.max(most[i % size] ?? 0, values[i] ?? 0);
    return most;
  },
  last: ({ count, size, values }) =>
    count === 0 ? new Float64Array(size) : values.slice((count - 1) * size, count * size),
  mean: (vectors) => weigh(vectors, () => 1, vectors.count),
  meanSqrt: (vectors) => weigh(vectors, () => 1, Math.sqrt(vectors.count)),
  /** The later a token, the more it counts. */
  weightedMean: (vectors, skipped) =>
    weigh(
      vectors,
      (index) => skipped + index + 1,
      skipped * vectors.count + (vectors.count * (vectors.count + 1)) / 2,
    ),
};

/** The sum of vectors, each multiplied by a weight, divided by a divisor. */
function weigh(
  { size, values }: Vectors,
  weightOf: (index: number) => number,
  divisor: number,
): Float64Array {
  const sums = new Float64Array(size);
  for (let start = 0, index = 0; start < values.length; start += size, index++) {
    const weight = weightOf(index);
    for (let i = 0; i < size; i++) sums[i] = (sums[i] ?? 0) + weight * (values[start + i] ?? 0);
  }
  return sums.map((sum) => sum / Math.max(divisor, LEAST_TOKENS));
}

/** The vectors that are not padding. */
function keepCounted(vectors: Vectors, mask: ArrayLike<number> | undefined): Vectors {
  if (!mask || mask.length !== vectors.count) return vectors;
  const { size, values } = vectors;
  const kept = Array.from(mask, Number).flatMap((counts, index) => (counts === 1 ? [index] : []));
  const left = new Float64Array(kept.length * size);
  for (const [to, from] of kept.entries())
    left.set(values.subarray(from * size, (from + 1) * size), to * size);
  return { count: kept.length, size, values: left };
}

/** The first numbers of each vector. */
export function cutVectors({ count, size, values }: Vectors, length: number): Vectors {
  const cut = new Float64Array(count * length);
  for (let row = 0; row < count; row++) {
    cut.set(values.subarray(row * size, row * size + length), row * length);
  }
  return { count, size: length, values: cut };
}

/** Each vector divided by its length, so that products of two are cosines. */
export function normalizeVectors({ count, size, values }: Vectors): Vectors {
  const scaled = new Float64Array(values.length);
  for (let start = 0; start < values.length; start += size) {
    let sum = 0;
    for (let i = start; i < start + size; i++) sum += (values[i] ?? 0) ** 2;
    const norm = Math.max(Math.sqrt(sum), LEAST_NORM);
    for (let i = start; i < start + size; i++) scaled[i] = (values[i] ?? 0) / norm;
  }
  return { count, size, values: scaled };
}
