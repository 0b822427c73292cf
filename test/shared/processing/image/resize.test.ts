import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { PixelRaster } from '../../../../shared/processing/image/raster.ts';
import { resize, resizeOptions } from '../../../../shared/processing/image/resize.ts';
import { PROJECT } from '../../project.ts';

const bytes = z.base64().transform((text) => Uint8Array.from(Buffer.from(text, 'base64')));

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

const FILTERS = resizeOptions.shape.filter.unwrap().options;

function raster(width: number, height: number, channels: number, data: Uint8Array): PixelRaster {
  return { width, height, channels, layout: 'HWC', data };
}

describe(`resize, compared with ${golden.madeBy}`, () => {
  it.each(FILTERS)('gives not one byte else with the filter %s', (filter) => {
    let compared = 0;
    for (const { width, height, channels, data, resized } of golden.images) {
      for (const target of resized) {
        const options = { step: 'resize', width: target.width, height: target.height, filter } as const;
        const result = resize(raster(width, height, channels, data), options);
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
        expect(resize(image, { step: 'resize', width, height, filter }).data).toEqual(image.data);
      }),
    );
  });

  it('keeps an image of one colour that colour', () => {
    fc.assert(
      fc.property(images, fc.nat(255), targets, (image, value, options) => {
        const plain = { ...image, data: new Uint8Array(image.data.length).fill(value) };
        const { data } = resize(plain, options);
        expect(data).toEqual(new Uint8Array(options.width * options.height * 3).fill(value));
      }),
    );
  });

  it('does not change the image it is given', () => {
    fc.assert(
      fc.property(images, targets, (image, options) => {
        const before = Uint8Array.from(image.data);
        resize(image, options);
        expect(image.data).toEqual(before);
      }),
    );
  });

  it('treats each channel by itself', () => {
    fc.assert(
      fc.property(images, targets, (image, options) => {
        const all = resize(image, options).data;
        for (const channel of [0, 1, 2]) {
          const pick = (data: Uint8Array) => data.filter((_, index) => index % 3 === channel);
          const single = resize({ ...image, channels: 1, data: pick(image.data) }, options);
          expect(pick(all)).toEqual(single.data);
        }
      }),
    );
  });
});

describe('resizeOptions', () => {
  it('takes bilinear for granted and refuses sides that make no sense', () => {
    const parse = (options: object) => resizeOptions.safeParse({ step: 'resize', ...options });
    expect(parse({ width: 8, height: 8 }).data?.filter).toBe('bilinear');
    for (const width of [0, -1, 1.5, 16_385, '8']) expect(parse({ width, height: 8 }).success).toBe(false);
    expect(parse({ width: 8, height: 8, filter: 'nearest' }).success).toBe(false);
    expect(parse({ width: 8, height: 8, antialias: false }).success).toBe(false);
  });
});
