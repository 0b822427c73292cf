import * as z from 'zod';
import type { PixelRaster } from './raster.ts';

const side = z.number().int().min(1).max(16_384);

export const resizeOptions = z.strictObject({
  step: z.literal('resize'),
  width: side,
  height: side,
  filter: z.enum(['box', 'bilinear', 'hamming', 'bicubic', 'lanczos']).default('bilinear'),
});

interface Filter {
  /** Half width of the kernel, in source pixels at scale 1. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

/** The resampling kernels of Pillow, by its names. */
const FILTERS: Record<z.infer<typeof resizeOptions>['filter'], Filter> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, weight: hamming },
  bicubic: { support: 2, weight: bicubic },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Weights are whole numbers of 2^-22: 8 bits of pixel and 2 of overshoot leave 22 bits of an int32. */
const PRECISION_BITS = 32 - 8 - 2;

/**
 * Resizes to an exact size with antialiasing, bit for bit as `PIL.Image.resize` does, which torchvision uses for PIL
 * images: two passes in fixed point, horizontal first, rounded to bytes in between, the kernel stretched by the
 * scale when shrinking.
 */
export function resize(image: PixelRaster, options: z.infer<typeof resizeOptions>): PixelRaster {
  const filter = FILTERS[options.filter];
  const wide = options.width === image.width ? image : resizeRows(image, options.width, filter);
  return options.height === image.height ? wide : resizeColumns(wide, options.height, filter);
}

interface Kernels {
  /** First source pixel and number of source pixels of each target pixel. */
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  /** `stride` weights per target pixel. */
  readonly weights: Int32Array;
  readonly stride: number;
}

function createKernels(from: number, to: number, filter: Filter): Kernels {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const kernels = {
    starts: new Int32Array(to),
    lengths: new Int32Array(to),
    weights: new Int32Array(to * stride),
    stride,
  };
  const exact = new Float64Array(stride);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const length = Math.min(from, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let k = 0; k < length; k++) {
      exact[k] = filter.weight((k + start - centre + 0.5) * (1 / stretch));
      sum += exact[k] ?? 0;
    }
    for (let k = 0; k < length; k++) {
      const weight = sum === 0 ? (exact[k] ?? 0) : (exact[k] ?? 0) / sum;
      kernels.weights[i * stride + k] = Math.trunc(weight * 2 ** PRECISION_BITS + (weight < 0 ? -0.5 : 0.5));
    }
    kernels.starts[i] = start;
    kernels.lengths[i] = length;
  }
  return kernels;
}

function resizeRows(image: PixelRaster, width: number, filter: Filter): PixelRaster {
  const { channels, height, data } = image;
  const { starts, lengths, weights, stride } = createKernels(image.width, width, filter);
  const out = new Uint8Array(width * height * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = y * image.width * channels;
    for (let x = 0; x < width; x++) {
      const first = row + (starts[x] ?? 0) * channels;
      const length = lengths[x] ?? 0;
      for (let c = 0; c < channels; c++) {
        out[to++] = weigh(data, first + c, channels, weights, x * stride, length);
      }
    }
  }
  return { ...image, width, data: out };
}

function resizeColumns(image: PixelRaster, height: number, filter: Filter): PixelRaster {
  const { channels, width, data } = image;
  const { starts, lengths, weights, stride } = createKernels(image.height, height, filter);
  const rowLength = width * channels;
  const out = new Uint8Array(rowLength * height);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const first = (starts[y] ?? 0) * rowLength;
    const length = lengths[y] ?? 0;
    for (let x = 0; x < rowLength; x++) {
      out[to++] = weigh(data, first + x, rowLength, weights, y * stride, length);
    }
  }
  return { ...image, height, data: out };
}

/** The weighted sum of `length` bytes that lie `step` apart, rounded and clipped to a byte. */
function weigh(
  data: Uint8Array,
  first: number,
  step: number,
  weights: Int32Array,
  weightsFirst: number,
  length: number,
): number {
  let sum = 1 << (PRECISION_BITS - 1);
  for (let k = 0, at = first; k < length; k++, at += step) {
    sum += (data[at] ?? 0) * (weights[weightsFirst + k] ?? 0);
  }
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : Math.min(value, 255);
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

/** Cubic convolution with a = -0.5 (Keys 1981), as Pillow; OpenCV and torch use -0.75. */
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
