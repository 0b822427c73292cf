import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import type { PixelRaster } from '../../../../../shared/processing/image/raster.ts';
import { resizeOptions } from '../../../../../shared/processing/image/steps/options.ts';
import { resize, resizedSize } from '../../../../../shared/processing/image/steps/resize.ts';
import { finish } from '../../../../../shared/processing/work.ts';
import { PROJECT } from '../../../../support/project.ts';

const bytes = z.pipe(
  z.base64(),
  z.transform((text) => Uint8Array.from(Buffer.from(text, 'base64'))),
);

/** Made by test/fixtures/pillow/make.py. */
const golden = z
  .object({
    madeBy: z.string(),
    images: z.array(
      z.object({
        width: z.number(),
        height: z.number(),
        channels: z.number(),
        data: bytes,
        resized: z.array(
          z.object({ width: z.number(), height: z.number(), filters: z.record(z.string(), bytes) }),
        ),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(PROJECT, 'test/fixtures/pillow/resize.json'), 'utf8')));

const FILTERS = resizeOptions.shape.filter.def.innerType.options;
const WEIGHING_FILTERS = FILTERS.filter((filter) => filter !== 'nearest');

function raster(width: number, height: number, channels: number, data: Uint8Array): PixelRaster {
  return { width, height, channels, layout: 'HWC', data };
}

describe(`resize, compared with ${golden.madeBy}`, () => {
  it.each(WEIGHING_FILTERS)('gives the same bytes with the filter %s', (filter) => {
    let compared = 0;
    for (const { width, height, channels, data, resized } of golden.images) {
      for (const target of resized) {
        const options = { step: 'resize', width: target.width, height: target.height, filter } as const;
        const result = finish(resize(raster(width, height, channels, data), options));
        const label = `${width}x${height}x${channels} to ${target.width}x${target.height}`;
        expect({ label, data: Uint8Array.from(result.data) }).toEqual({
          label,
          data: target.filters[filter],
        });
        expect([result.width, result.height, result.channels, result.layout]).toEqual([
          target.width,
          target.height,
          channels,
          'HWC',
        ]);
        compared++;
      }
    }
    expect(compared).toBe(44);
  });
});

const images = fc
  .record({ width: fc.integer({ min: 1, max: 20 }), height: fc.integer({ min: 1, max: 20 }) })
  .chain(({ width, height }) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((data) => raster(width, height, 3, data)),
  );
const targets = fc.record({
  step: fc.constant('resize' as const),
  width: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 1, max: 40 }),
  filter: fc.constantFrom(...FILTERS),
});

describe('resize', () => {
  it('leaves an image of the wanted size as it is', () => {
    fc.assert(
      fc.property(images, fc.constantFrom(...FILTERS), (image, filter) => {
        const { width, height } = image;
        expect(finish(resize(image, { step: 'resize', width, height, filter })).data).toEqual(image.data);
      }),
    );
  });

  it('keeps an image of one colour that colour', () => {
    fc.assert(
      fc.property(images, fc.nat(255), targets, (image, value, options) => {
        const plain = { ...image, data: new Uint8Array(image.data.length).fill(value) };
        const { data } = finish(resize(plain, options));
        expect(data).toEqual(new Uint8Array(options.width * options.height * 3).fill(value));
      }),
    );
  });

  it('does not change the image it is given', () => {
    fc.assert(
      fc.property(images, targets, (image, options) => {
        const before = Uint8Array.from(image.data);
        finish(resize(image, options));
        expect(image.data).toEqual(before);
      }),
    );
  });

  it('treats each channel by itself', () => {
    fc.assert(
      fc.property(images, targets, (image, options) => {
        const all = finish(resize(image, options)).data;
        for (const channel of [0, 1, 2]) {
          const pick = (data: Uint8Array) => data.filter((_, index) => index % 3 === channel);
          const single = finish(resize({ ...image, channels: 1, data: pick(image.data) }, options));
          expect(pick(all)).toEqual(single.data);
        }
      }),
    );
  });
});

/** The size that options make of an image without padding, as `width x height`. */
function sizeOf(options: object, width: number, height: number): string {
  const size = resizedSize(resizeOptions.parse({ step: 'resize', ...options }), { width, height });
  return `${size.width}x${size.height}`;
}

describe('resizedSize', () => {
  it('cuts the longer side to whole pixels, as torchvision', () => {
    // transforms.Resize(256), torchvision 0.24: 256 * 1023 / 767 = 341.4, 256 * 500 / 375 = 341.3.
    expect(sizeOf({ shortestEdge: 256 }, 1200, 900)).toBe('341x256');
    expect(sizeOf({ shortestEdge: 256 }, 767, 1023)).toBe('256x341');
    expect(sizeOf({ shortestEdge: 3 }, 5, 9)).toBe('3x5');
    expect(sizeOf({ shortestEdge: 7 }, 4, 4)).toBe('7x7');
  });

  it('keeps to the largest size, as torchvision', () => {
    expect(sizeOf({ shortestEdge: 100, maxSize: 150 }, 300, 200)).toBe('150x100');
    expect(sizeOf({ shortestEdge: 100, maxSize: 149 }, 300, 200)).toBe('149x99');
    expect(sizeOf({ shortestEdge: 100, maxSize: 101 }, 1, 900)).toBe('1x101');
  });

  it('rounds the shorter side, halves to even, as ImageOps.contain', () => {
    expect(sizeOf({ longestEdge: 10 }, 4, 3)).toBe('10x8');
    expect(sizeOf({ longestEdge: 10 }, 20, 5)).toBe('10x2');
    expect(sizeOf({ longestEdge: 10 }, 7, 20)).toBe('4x10');
    expect(sizeOf({ longestEdge: 10 }, 900, 1)).toBe('10x1');
  });
});

describe('resize with padding', () => {
  it('puts the image in the middle of a square', () => {
    const image = raster(2, 1, 3, Uint8Array.of(1, 2, 3, 4, 5, 6));
    const padded = finish(resize(image, { step: 'resize', longestEdge: 2, pad: [7, 8, 9], filter: 'box' }));
    expect([padded.width, padded.height, ...padded.data]).toEqual([2, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 7, 8, 9]);
    const grey = finish(
      resize(raster(1, 3, 1, Uint8Array.of(1, 2, 3)), {
        step: 'resize',
        longestEdge: 3,
        pad: 5,
        filter: 'nearest',
      }),
    );
    expect([...grey.data]).toEqual([5, 1, 5, 5, 2, 5, 5, 3, 5]);
  });

  it('is opaque around a transparent image', () => {
    const image = raster(2, 1, 4, Uint8Array.of(1, 2, 3, 0, 4, 5, 6, 0));
    const padded = finish(resize(image, { step: 'resize', longestEdge: 2, pad: 9, filter: 'box' }));
    expect([...padded.data]).toEqual([1, 2, 3, 0, 4, 5, 6, 0, 9, 9, 9, 255, 9, 9, 9, 255]);
  });
});

const SIDES = 'takes width and height, or shortestEdge, or longestEdge';
const MAX_SIZE = 'must come with shortestEdge and be larger than it';

describe('resizeOptions', () => {
  const parse = (options: object) => resizeOptions.safeParse({ step: 'resize', ...options });

  it('defaults to bilinear and refuses sides that make no sense', () => {
    expect(parse({ width: 8, height: 8 }).data?.filter).toBe('bilinear');
    for (const width of [0, -1, 1.5, 16_385, '8']) expect(parse({ width, height: 8 }).success).toBe(false);
    expect(parse({ width: 8, height: 8, filter: 'cubic' }).success).toBe(false);
    expect(parse({ width: 8, height: 8, antialias: false }).success).toBe(false);
  });

  it.each([
    [{}, SIDES],
    [{ width: 8 }, SIDES],
    [{ width: 8, height: 8, shortestEdge: 8 }, SIDES],
    [{ shortestEdge: 8, longestEdge: 8 }, SIDES],
    [{ shortestEdge: 8, maxSize: 8 }, MAX_SIZE],
    [{ width: 8, height: 8, maxSize: 9 }, MAX_SIZE],
    [{ shortestEdge: 8, pad: 0 }, 'belongs to longestEdge'],
    [{ longestEdge: 8, pad: 'red' }, 'must be a whole number from 0 to 255, or three of them'],
  ])('refuses %j', (options, message) => {
    expect(parse(options).error?.issues.map((issue) => issue.message)).toEqual([message]);
  });
});
