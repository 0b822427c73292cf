import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { PixelRaster } from '../../../shared/processing/image/raster.ts';
import { imageStepsSchema } from '../../../shared/processing/image/steps/schema.ts';
import { runImageSteps } from '../../../shared/processing/image/steps/steps.ts';
import { createImagePipeline } from '../../../shared/processing/image-pipeline.ts';
import { finish, runInTurns } from '../../../shared/processing/work.ts';
import { errorOf, rejectionOf } from '../../support/error-of.ts';
import { testBudget } from '../../support/test-budget.ts';

const LIMITS = { name: 'field "image"', madePixels: 1e6 };

const side = fc.integer({ min: 1, max: 40 });
const images = fc.record({ width: side, height: side, channels: fc.constantFrom(1, 3, 4) }).chain((shape) => {
  const length = shape.width * shape.height * shape.channels;
  return fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((data): PixelRaster => ({ ...shape, layout: 'HWC', data }));
});
const resizes = fc.oneof(
  fc.record({ width: side, height: side }),
  fc.record({ shortestEdge: side }),
  fc.record({ longestEdge: side, pad: fc.nat(255) }),
);
const filters = fc.constantFrom('nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos');
const pixelSteps = fc.array(
  fc.oneof(
    fc.record({ step: fc.constant('convert'), mode: fc.constantFrom('RGB', 'BGR', 'grey') }),
    fc.tuple(resizes, filters).map(([options, filter]) => ({ step: 'resize', filter, ...options })),
    fc.record({ step: fc.constant('centerCrop'), width: side, height: side }),
  ),
  { maxLength: 4 },
);
const valueSteps = fc.subarray([
  { step: 'rescale', scale: 1 / 255 },
  { step: 'normalize', mean: [0.5], std: [0.25] },
  { step: 'layout', layout: 'NCHW' },
  { step: 'datatype', datatype: 'FP16' },
]);

/** Steps may change the pixels they are given. */
function copyOf(image: PixelRaster): PixelRaster {
  return { ...image, data: Uint8Array.from(image.data) };
}

/** A pause after every item of a loop. */
let clockMs = 0;
const TINY_TURNS = {
  now: () => {
    clockMs += 1000;
    return clockMs;
  },
  partCost: 1,
};

describe('a pipeline', () => {
  it('gives the values of the steps run one after the other', () => {
    fc.assert(
      fc.property(images, pixelSteps, valueSteps, (image, first, then) => {
        const steps = imageStepsSchema.parse([...first, ...then]);
        const result = finish(createImagePipeline(steps).run(copyOf(image), LIMITS));
        expect(result).toEqual(runImageSteps(copyOf(image), steps));
      }),
    );
  });

  it('gives the same values in parts of one item each, and when others resample in the pauses', async () => {
    const property = fc.asyncProperty(images, pixelSteps, valueSteps, async (image, first, then) => {
      const pipeline = createImagePipeline(imageStepsSchema.parse([...first, ...then]));
      const whole = finish(pipeline.run(copyOf(image), LIMITS));
      const inParts = () => runInTurns(pipeline.run(copyOf(image), LIMITS), () => {}, TINY_TURNS);
      expect(await Promise.all([inParts(), inParts()])).toEqual([whole, whole]);
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it.each([
    ['tall', 40, 3000],
    ['wide', 3000, 40],
  ])('gives the same values of %s images in parts', async (_, width, height) => {
    for (const channels of [1, 3, 4]) {
      const data = Uint8Array.from({ length: width * height * channels }, (_, index) => (index * 7919) % 251);
      const image = { width, height, channels, layout: 'HWC', data } as const;
      const pipeline = createImagePipeline([{ step: 'resize', width: 20, height: 24, filter: 'bicubic' }]);
      const whole = finish(pipeline.run(copyOf(image), LIMITS));
      const options = { now: () => 0, partCost: 5000 };
      expect(await runInTurns(pipeline.run(image, LIMITS), () => {}, options)).toEqual(whole);
    }
  });

  it('runs no loop of more than a part at once, with any steps on a large image', () => {
    const [width, height] = [1300, 1100];
    for (const steps of [
      [{ step: 'orient' }],
      [{ step: 'convert', mode: 'grey' }],
      [{ step: 'convert', mode: 'BGR', background: 255 }],
      [{ step: 'resize', width: 8, height: 8, filter: 'bilinear' }],
      [{ step: 'resize', width: 1300, height: 8, filter: 'lanczos' }],
      [{ step: 'resize', width: 1000, height: 900, filter: 'nearest' }],
      [{ step: 'centerCrop', width: 1200, height: 1200 }],
      [{ step: 'layout', layout: 'NCHW' }],
    ]) {
      const image: PixelRaster = {
        ...{ width, height, channels: 4, layout: 'HWC', orientation: 6 },
        data: new Uint8Array(width * height * 4),
      };
      const work = createImagePipeline(imageStepsSchema.parse(steps)).run(image, {
        ...LIMITS,
        madePixels: 1e9,
      });
      const costs: number[] = [];
      for (let step = work.next(); !step.done; step = work.next()) {
        step.value.run(0, step.value.count);
        costs.push(step.value.cost);
      }
      expect(costs.length).toBeGreaterThan(0);
      expect(Math.max(...costs)).toBeLessThan(2 ** 18);
    }
  });

  it('makes no more pixels than allowed, and names the image', () => {
    const narrow: PixelRaster = {
      width: 1,
      height: 5000,
      channels: 1,
      layout: 'HWC',
      data: new Uint8Array(5000),
    };
    const resize = { step: 'resize', shortestEdge: 256, filter: 'box' } as const;
    const error = errorOf(() => finish(createImagePipeline([resize]).run(narrow, LIMITS)));
    const tooLong = [
      'INVALID_PARAMETER_VALUE',
      'The image in field "image" is 1x5000 and would be resized to 256x1280000; the longest side may have at most 262144.',
    ];
    expect([error.code, error.message]).toEqual(tooLong);
    // Only the part inside a crop is made, unless the whole image would be a line of a million pixels.
    const crop = { step: 'centerCrop', width: 224, height: 224 } as const;
    const lower = { ...narrow, height: 1000, data: narrow.data.subarray(0, 1000) };
    expect(finish(createImagePipeline([resize, crop]).run(lower, LIMITS)).data.length).toBe(224 * 224);
    const line = errorOf(() => finish(createImagePipeline([resize, crop]).run(narrow, LIMITS)));
    expect([line.code, line.message]).toEqual(tooLong);
    const wide = { ...narrow, width: 300_000, height: 1, data: new Uint8Array(300_000) };
    const exact = { step: 'resize', width: 8, height: 8, filter: 'lanczos' } as const;
    expect(errorOf(() => finish(createImagePipeline([exact]).run(wide, LIMITS))).message).toMatch(
      /^The image in field "image" is 300000x1 .* 8x8; .* 262144\.$/,
    );
  });
});

/** A photograph of 2400x1800 pixels: soft shades, an edge and fine texture. */
async function photograph(orientation?: number): Promise<Buffer> {
  const [width, height] = [2400, 1800];
  const data = Buffer.alloc(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      data[at] = 128 + 100 * Math.sin(x / 160 + y / 90);
      data[at + 1] = x + y < 2000 ? 60 : 180;
      data[at + 2] = 128 + ((x * 7919 + y * 104_729) % 97) - 48;
    }
  }
  const image = sharp(data, { raw: { width, height, channels: 3 } }).jpeg({ quality: 90 });
  return orientation ? image.withMetadata({ orientation }).toBuffer() : image.toBuffer();
}

describe('decoding', () => {
  const resize = { step: 'resize', shortestEdge: 100, filter: 'bilinear' } as const;
  const fast = { step: 'decode', decode: 'fast' } as const;
  const upright = photograph();

  async function decode(file: Uint8Array, steps: Parameters<typeof createImagePipeline>[0]) {
    const pipeline = createImagePipeline(steps);
    const image = await pipeline.decode(file, 'x', testBudget());
    return { image, result: finish(pipeline.run(image, LIMITS)) };
  }

  it('fast decodes a large JPEG at three times its final size, and counts all its pixels', async () => {
    const file = await upright;
    const { image, result } = await decode(file, [fast, resize]);
    expect([image.width, image.height, image.filePixels]).toEqual([399, 300, 2400 * 1800]);
    const exact = await decode(file, [resize]);
    expect([exact.image.width, exact.image.height]).toEqual([2400, 1800]);
    expect([result.width, result.height]).toEqual([exact.result.width, exact.result.height]);
    const differences = Array.from(result.data, (value, at) =>
      Math.abs(value - (exact.result.data[at] ?? 0)),
    );
    const mean = differences.reduce((a, b) => a + b, 0) / differences.length;
    expect(mean).toBeLessThan(1);
    expect(mean).toBeGreaterThan(0);
  });

  it('fast looks at the upright picture where it is turned', async () => {
    const file = await photograph(6);
    const exactly = { step: 'resize', width: 60, height: 100, filter: 'bilinear' } as const;
    const { image, result } = await decode(file, [fast, { step: 'orient' }, exactly]);
    expect([image.width, image.height, image.orientation]).toEqual([300, 180, 6]);
    expect([result.width, result.height]).toEqual([60, 100]);
  });

  it('fast changes nothing where an image is hardly reduced, or the crop comes first', async () => {
    const file = await upright;
    for (const steps of [
      [fast],
      [fast, { ...resize, shortestEdge: 201 }],
      [fast, { step: 'centerCrop', width: 1000, height: 1000 } as const, resize],
    ]) {
      const { image } = await decode(file, steps);
      expect([image.width, image.height, image.filePixels]).toEqual([2400, 1800, undefined]);
    }
  });

  it('refuses a large file by its own pixels, however fast', async () => {
    const pipeline = createImagePipeline([fast, resize]);
    const budget = testBudget({ imagePixels: 4_000_000 });
    const error = await rejectionOf(pipeline.decode(await upright, 'field "image"', budget));
    expect(error.code).toBe('PAYLOAD_TOO_LARGE');
  });
});

describe('a JPEG of which a crop needs only a part', () => {
  /** Every pixel differs from its neighbours. */
  async function makeNoise(width: number, height: number, channels: 1 | 3 = 3): Promise<Buffer> {
    const data = Buffer.from(
      Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 7919) >> (i % 5)),
    );
    const image = sharp(data, { raw: { width, height, channels } });
    return await image.jpeg({ quality: 90 }).toBuffer();
  }
  const crop = { step: 'centerCrop', width: 60, height: 50 } as const;
  const shorter = { step: 'resize', shortestEdge: 80, filter: 'bilinear' } as const;

  it.each([
    [[shorter, crop], [1600, 1000], 3],
    [[{ ...shorter, filter: 'bicubic' }, crop], [1000, 1601], 3],
    [
      [
        { ...shorter, filter: 'lanczos' },
        { ...crop, width: 90 },
      ],
      [2000, 900],
      3,
    ],
    [
      [
        { ...shorter, arithmetic: 'torch' },
        { ...crop, rounding: 'down' },
      ],
      [1601, 1001],
      3,
    ],
    [[{ step: 'convert', mode: 'RGB' }, shorter, crop], [1600, 1000], 1],
    [[{ step: 'convert', mode: 'BGR' }, shorter, crop], [1600, 1000], 3],
    [[{ step: 'convert', mode: 'grey' }, { ...shorter, firstPass: 'horizontal' }, crop], [1600, 1000], 3],
    // An enlarged picture.
    [
      [
        { ...shorter, shortestEdge: 1500 },
        { ...crop, height: 1 },
      ],
      [2000, 1000],
      3,
    ],
  ] as const)('has the same values: %j of %j pixels', async (given, [width, height], channels) => {
    const pipeline = createImagePipeline(imageStepsSchema.parse(given));
    const file = await makeNoise(width, height, channels);
    const part = await pipeline.decode(file, 'x', testBudget());
    expect([part.partOf?.size, part.filePixels]).toEqual([{ width, height }, width * height]);
    expect(part.width * part.height).toBeLessThan(width * height - 350_000);
    const { data, info } = await sharp(file)
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const whole = { width, height, channels: info.channels, layout: 'HWC', data } as const;
    expect(finish(pipeline.run(part, LIMITS))).toEqual({
      ...finish(pipeline.run(whole, LIMITS)),
      filePixels: width * height,
      partOf: undefined,
      orientation: undefined,
    });
  });

  it.each([
    [[shorter], 'without a crop'],
    [[crop], 'without a resize'],
    [[{ step: 'orient' }, shorter, crop], 'if it is turned first'],
    [[{ ...shorter, filter: 'nearest' }, crop], 'for the nearest pixels'],
    [[{ step: 'resize', width: 1599, height: 80 }, crop], 'if it is made low first'],
    [
      [
        { ...shorter, shortestEdge: 50 },
        { ...crop, width: 80 },
      ],
      'if little is cut off',
    ],
  ] as const)('is decoded whole: %j, %s', async (given, _) => {
    const pipeline = createImagePipeline(imageStepsSchema.parse(given));
    const image = await pipeline.decode(await makeNoise(1600, 1000), 'x', testBudget());
    expect([image.width, image.height, image.partOf]).toEqual([1600, 1000, undefined]);
  });

  it('is refused if it ends in rows that nobody needs', async () => {
    const pipeline = createImagePipeline(imageStepsSchema.parse([shorter, crop]));
    const file = await makeNoise(1600, 1000);
    for (const end of [file.length * 0.97, 100]) {
      const error = await rejectionOf(pipeline.decode(file.subarray(0, end), 'field "image"', testBudget()));
      expect(error.message).toBe('Field "image" cannot be decoded: the file is truncated or damaged.');
    }
  });

  it('is paid for with all its pixels', async () => {
    const pipeline = createImagePipeline(imageStepsSchema.parse([shorter, crop]));
    const budget = testBudget({ imagePixels: 1_700_000 });
    await pipeline.decode(await makeNoise(1600, 1000), 'field "image"', budget);
    expect(budget.left('imagePixels')).toBe(100_000);
  });
});
