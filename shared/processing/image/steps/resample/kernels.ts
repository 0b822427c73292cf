import type { Work } from '../../../work.ts';

/** The resampling filters of Pillow that weigh pixels, by its names. */
export type FilterName = 'box' | 'bilinear' | 'hamming' | 'bicubic' | 'lanczos';

/** The source pixels and weights of some target pixels of one axis. */
export interface Kernels {
  /** First source pixel and number of source pixels of each target pixel. */
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  /** `stride` weights per target pixel, as whole numbers of 2^-22; zeros after its length. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** Start and end of the source pixels that are needed. */
export function spanOf({ starts, lengths }: Kernels): { readonly first: number; readonly end: number } {
  return { first: starts[0] ?? 0, end: (starts.at(-1) ?? 0) + (lengths.at(-1) ?? 0) };
}

/** The source pixels that some target pixels need, without their weights. */
export function spanOfPixels(
  axis: Axis,
  first: number,
  count: number,
): { readonly first: number; readonly end: number } {
  const kernel = createNormalisedKernel(axis);
  const weights = new Float64Array(kernel.most);
  const last = kernel.pixel(first + count - 1, weights);
  return { first: kernel.pixel(first, weights).start, end: last.start + last.length };
}

/** Weights are whole numbers of 2^-22: 8 bits of pixel and 2 of overshoot leave 22 bits of an int32. */
export const PRECISION_BITS = 32 - 8 - 2;

/**
 * Which library's numbers: `pillow` keeps weights to 22 bits, `torch` to as many bits as let the largest weight of an
 * axis fit an int16. That is how torchvision resizes tensors of bytes.
 */
export type Arithmetic = 'pillow' | 'torch';

/** How an axis of `from` pixels becomes one of `to` pixels. */
export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly filter: FilterName;
  readonly arithmetic: Arithmetic;
}

/**
 * The kernels of `count` target pixels, starting at `first`. They are those of `PIL.Image.resize`: centred on the
 * target pixel and stretched by the scale when shrinking. The most recently used ones are kept.
 */
export function* getKernels(axis: Axis, first: number, count: number): Work<Kernels> {
  const key = `${axis.from} ${axis.to} ${axis.filter} ${axis.arithmetic} ${first} ${count}`;
  const known = cache.get(key);
  if (known) cache.delete(key);
  const kernels = known ?? (yield* createKernels(axis, first, count));
  // A map keeps its order: the kernels used most recently are last.
  if (kernels.weights.length <= LARGEST_KEPT) cache.set(key, kernels);
  for (const oldest of cache.keys()) {
    if (cache.size <= MOST_KEPT) break;
    cache.delete(oldest);
  }
  return kernels;
}

/** At most 8 MB in total: photographs come in few sizes. */
const MOST_KEPT = 32;
const LARGEST_KEPT = 65_536;
const cache = new Map<string, Kernels>();

interface Filter {
  /** Half width of the kernel, in source pixels at scale 1. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

const FILTERS: Record<FilterName, Filter> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, weight: hamming },
  bicubic: { support: 2, weight: bicubic },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function* createKernels(axis: Axis, first: number, count: number): Work<Kernels> {
  const kernel = createNormalisedKernel(axis);
  const bits = axis.arithmetic === 'torch' ? yield* int16Bits(axis, kernel) : PRECISION_BITS;
  const stride = kernel.most;
  const starts = new Int32Array(count);
  const lengths = new Int32Array(count);
  const weights = new Int32Array(count * stride);
  const exact = new Float64Array(stride);
  const writePixel = (i: number) => {
    const { start, length } = kernel.pixel(first + i, exact);
    for (let k = 0; k < length; k++) {
      const weight = exact[k] ?? 0;
      const whole = Math.trunc(weight * 2 ** bits + (weight < 0 ? -0.5 : 0.5));
      weights[i * stride + k] = whole * 2 ** (PRECISION_BITS - bits);
    }
    starts[i] = start;
    lengths[i] = length;
  };
  yield { count, cost: stride * WEIGHT_COST, run: (from, to) => forEachIn(from, to, writePixel) };
  return { starts, lengths, weights, stride };
}

/** Computing a weight takes as long as this many products. */
const WEIGHT_COST = 16;

function forEachIn(from: number, to: number, visit: (index: number) => void): void {
  for (let i = from; i < to; i++) visit(i);
}

interface NormalisedKernel {
  /** Most source pixels of one target pixel. */
  readonly most: number;
  /** Writes the weights of a target pixel, which add up to 1. */
  pixel(index: number, weights: Float64Array): { readonly start: number; readonly length: number };
}

function createNormalisedKernel({ from, to, filter }: Axis): NormalisedKernel {
  const { support: reach, weight } = FILTERS[filter];
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = reach * stretch;
  return {
    most: Math.ceil(support) * 2 + 1,
    pixel: (index, weights) => {
      const centre = (index + 0.5) * scale;
      const start = Math.max(0, Math.trunc(centre - support + 0.5));
      const length = Math.min(from, Math.trunc(centre + support + 0.5)) - start;
      let sum = 0;
      for (let k = 0; k < length; k++) {
        weights[k] = weight((k + start - centre + 0.5) * (1 / stretch));
        sum += weights[k] ?? 0;
      }
      for (let k = 0; k < length && sum !== 0; k++) weights[k] = (weights[k] ?? 0) / sum;
      return { start, length };
    },
  };
}

/** The number of bits with which the largest weight of a whole axis still fits an int16. */
function* int16Bits({ to: count }: Axis, kernel: NormalisedKernel): Work<number> {
  const weights = new Float64Array(kernel.most);
  let largest = 0;
  const measurePixel = (i: number) => {
    const { length } = kernel.pixel(i, weights);
    for (let k = 0; k < length; k++) largest = Math.max(largest, weights[k] ?? 0);
  };
  yield { count, cost: kernel.most * WEIGHT_COST, run: (from, to) => forEachIn(from, to, measurePixel) };
  let bits = 0;
  while (bits < PRECISION_BITS && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < 2 ** 15) bits += 1;
  return bits;
}

/** Pillow has these two as float32 constants. */
const HAMMING_OFFSET = Math.fround(0.54);
const HAMMING_SCALE = Math.fround(0.46);

function hamming(x: number): number {
  const distance = Math.abs(x);
  if (distance === 0) return 1;
  if (distance >= 1) return 0;
  const angle = distance * Math.PI;
  return (Math.sin(angle) / angle) * (HAMMING_OFFSET + HAMMING_SCALE * Math.cos(angle));
}

/** Cubic convolution with a = -0.5 (Keys 1981), as Pillow and torch with antialiasing. */
function bicubic(x: number): number {
  const a = -0.5;
  const distance = Math.abs(x);
  if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * a;
  return 0;
}

function sinc(x: number): number {
  if (x === 0) return 1;
  const angle = x * Math.PI;
  return Math.sin(angle) / angle;
}
