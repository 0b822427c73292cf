import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PixelRaster } from '../../../../../../shared/processing/image/raster.ts';
import { chunkRows } from '../../../../../../shared/processing/image/steps/resample/chunks.ts';
import {
  type FilterName,
  getKernels,
} from '../../../../../../shared/processing/image/steps/resample/kernels.ts';
import { resample } from '../../../../../../shared/processing/image/steps/resample/resample.ts';
import { columnsOf, rowsOf } from '../../../../../../shared/processing/image/steps/resample/row-source.ts';
import { resampleScalar } from '../../../../../../shared/processing/image/steps/resample/scalar.ts';
import { resampleSimd, suitsSimd } from '../../../../../../shared/processing/image/steps/resample/simd.ts';
import { finish } from '../../../../../../shared/processing/work.ts';

const FILTERS: readonly FilterName[] = ['box', 'bilinear', 'hamming', 'bicubic', 'lanczos'];

/** Bytes that leave the range when weighed: half of them black or white. */
function noise(width: number, height: number, channels: number, seed = 1): PixelRaster {
  let state = seed;
  const data = Uint8Array.from({ length: width * height * channels }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const byte = state >>> 24;
    return state & 0x800000 ? byte : byte & 0x80 ? 255 : 0;
  });
  return { width, height, channels, layout: 'HWC', data };
}

const side = (max: number) => fc.integer({ min: 1, max });
const cases = fc
  .record({ width: side(70), height: side(70), channels: fc.constantFrom(3, 4), seed: fc.nat() })
  .chain(({ width, height, channels, seed }) =>
    fc.record({
      image: fc.constant(noise(width, height, channels, seed)),
      size: fc.record({ width: side(70), height: side(70) }),
      filter: fc.constantFrom(...FILTERS),
    }),
  );

const axis = (from: number, to: number, filter: FilterName) => ({
  from,
  to,
  filter,
  arithmetic: 'pillow' as const,
});
const TALL = { filter: 'bilinear', firstPass: 'horizontal', arithmetic: 'pillow' } as const;

describe('resampleSimd', () => {
  it('gives the bytes of resampleScalar', () => {
    fc.assert(
      fc.property(cases, ({ image, size, filter }) => {
        expect(suitsSimd(image)).toBe(true);
        const horizontal = finish(getKernels(axis(image.width, size.width, filter), 0, size.width));
        const vertical = finish(getKernels(axis(image.height, size.height, filter), 0, size.height));
        expect(finish(resampleSimd(rowsOf(image), horizontal, vertical))).toEqual(
          finish(resampleScalar(rowsOf(image), horizontal, vertical)),
        );
      }),
    );
  });

  it('gives them for a large photograph too, whose rows come in many portions', () => {
    const image = noise(1501, 1103, 3);
    const horizontal = finish(getKernels(axis(image.width, 97, 'lanczos'), 5, 80));
    const vertical = finish(getKernels(axis(image.height, 71, 'lanczos'), 3, 60));
    expect(finish(resampleSimd(rowsOf(image), horizontal, vertical))).toEqual(
      finish(resampleScalar(rowsOf(image), horizontal, vertical)),
    );
  });

  it('leaves other channels and very wide rows to resampleScalar', () => {
    expect([1, 2, 3, 4].map((channels) => suitsSimd(noise(2, 2, channels)))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(suitsSimd(noise(400_000, 1, 3))).toBe(false);
  });
});

describe('resample', () => {
  it.each(['pillow', 'torch'] as const)(
    'gives for a window what it gives there for the whole image, as %s',
    (arithmetic) => {
      const windows = cases.chain((given) =>
        fc.record({
          given: fc.constant(given),
          left: fc.nat(given.size.width - 1),
          top: fc.nat(given.size.height - 1),
        }),
      );
      fc.assert(
        fc.property(windows, ({ given: { image, size, filter }, left, top }) => {
          const whole = finish(
            resample(image, size, { filter, firstPass: 'auto', arithmetic }, { left: 0, top: 0, ...size }),
          );
          const window = { left, top, width: size.width - left, height: size.height - top };
          const part = finish(resample(image, size, { filter, firstPass: 'auto', arithmetic }, window));
          const rowBytes = window.width * image.channels;
          for (let y = 0; y < window.height; y++) {
            const from = ((top + y) * size.width + left) * image.channels;
            expect(part.data.subarray(y * rowBytes, (y + 1) * rowBytes)).toEqual(
              whole.data.subarray(from, from + rowBytes),
            );
          }
        }),
      );
    },
  );

  it.each([1, 3])('makes tall images of %i channels piece by piece, without a seam', (channels) => {
    const image = noise(2, 30_000, channels);
    const size = { width: 400, height: 500 };
    const whole = finish(resample(image, size, TALL, { left: 0, top: 0, ...size }));
    for (let top = 0; top < size.height; top += 50) {
      const window = { left: 0, top, width: size.width, height: 50 };
      const part = finish(resample(image, size, TALL, window));
      const from = top * size.width * channels;
      expect(Buffer.compare(part.data, whole.data.subarray(from, from + part.data.length))).toBe(0);
    }
  });
});

describe('columnsOf', () => {
  it('gives columns as rows, also a part of them and in any order', () => {
    const image = noise(70, 90, 3);
    const columns = columnsOf(image, 10, 80);
    expect([columns.width, columns.left]).toEqual([70, 10]);
    for (const [from, to] of [
      [0, 1],
      [66, 70],
      [3, 69],
    ] as const) {
      const expected: number[] = [];
      for (let x = from; x < to; x++) {
        for (let y = 10; y < 80; y++)
          expected.push(...image.data.subarray((y * 70 + x) * 3, (y * 70 + x + 1) * 3));
      }
      expect([...columns.read(from, to)]).toEqual(expected);
    }
  });

  it('reads few of many long ones at a time', () => {
    const image = noise(40, 100_000, 1);
    const columns = columnsOf(image, 0, 100_000);
    expect(columns.read(0, 4).buffer.byteLength).toBeLessThan(2_200_000);
    expect(columns.read(36, 40)[399_999]).toBe(image.data.at(-1));
  });
});

describe('chunkRows', () => {
  it('keeps the source rows of each chunk few and leaves no target row out', () => {
    const vertical = finish(getKernels(axis(100_000, 1000, 'bilinear'), 0, 1000));
    const chunks = chunkRows(vertical, 1000);
    expect(chunks.length).toBeGreaterThan(20);
    let next = 0;
    for (const { from, to, firstRow, endRow } of chunks) {
      expect(from).toBe(next);
      expect(endRow - firstRow).toBeLessThanOrEqual(4_194_304 / 1000);
      expect(firstRow).toBe(vertical.starts[from]);
      expect(endRow).toBe((vertical.starts[to - 1] ?? 0) + (vertical.lengths[to - 1] ?? 0));
      next = to;
    }
    expect(next).toBe(1000);
  });

  it('takes as many rows as a kernel needs, however large they are', () => {
    const vertical = finish(getKernels(axis(1000, 2, 'lanczos'), 0, 2));
    expect(chunkRows(vertical, 1e9)).toEqual([{ from: 0, to: 2, firstRow: 0, endRow: 1000 }]);
  });
});

describe('getKernels', () => {
  it('gives the same object again while it is kept', () => {
    const kernels = finish(getKernels(axis(640, 224, 'bicubic'), 0, 224));
    expect(finish(getKernels(axis(640, 224, 'bicubic'), 0, 224))).toBe(kernels);
    expect(finish(getKernels(axis(640, 224, 'bicubic'), 1, 223))).not.toBe(kernels);
    for (let other = 1; other <= 32; other++) finish(getKernels(axis(640, other, 'bicubic'), 0, other));
    expect(finish(getKernels(axis(640, 224, 'bicubic'), 0, 224))).not.toBe(kernels);
  });

  it('keeps the weights of torch to what an int16 holds', () => {
    const { weights } = finish(getKernels({ ...axis(333, 100, 'bicubic'), arithmetic: 'torch' }, 0, 100));
    const { weights: exact } = finish(getKernels(axis(333, 100, 'bicubic'), 0, 100));
    const used = weights.reduce((bits, weight) => bits | weight, 0);
    const unit = used & -used;
    expect(Math.max(...weights) / unit).toBeGreaterThanOrEqual(2 ** 14);
    expect(Math.max(...weights) / unit).toBeLessThan(2 ** 15);
    for (const [i, weight] of weights.entries()) {
      expect(Math.abs(weight - (exact[i] ?? 0))).toBeLessThanOrEqual(unit / 2);
    }
  });

  it('has weights that add up to one, to the last bit or nearly', () => {
    for (const filter of FILTERS) {
      const { starts, weights, stride } = finish(getKernels(axis(333, 100, filter), 0, 100));
      for (let i = 0; i < starts.length; i++) {
        const sum = weights.subarray(i * stride, (i + 1) * stride).reduce((a, b) => a + b, 0);
        expect(Math.abs(sum - 2 ** 22)).toBeLessThan(stride);
      }
    }
  });
});
