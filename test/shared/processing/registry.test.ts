import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { scoreStepSchema } from '../../../shared/processing/classification.ts';
import type { PixelRaster } from '../../../shared/processing/image/raster.ts';
import { imageStepsSchema } from '../../../shared/processing/image/steps/schema.ts';
import { runImageSteps } from '../../../shared/processing/image/steps/steps.ts';

const image: PixelRaster = {
  width: 2,
  height: 1,
  channels: 3,
  layout: 'HWC',
  data: Uint8Array.of(0, 51, 255, 255, 102, 0),
};

describe('runImageSteps', () => {
  it('runs all steps in their order', () => {
    const steps = imageStepsSchema.parse([
      { step: 'convert', mode: 'BGR' },
      { step: 'resize', width: 1, height: 1, filter: 'box' },
      { step: 'rescale', scale: 1 / 255 },
      { step: 'normalize', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
      { step: 'layout', layout: 'NCHW' },
    ]);
    const raster = runImageSteps({ ...image, data: Uint8Array.from(image.data) }, steps);
    // Box of two pixels: the mean, rounded up: 128, 77, 128.
    const expected = [128, 77, 128].map((value) => (Math.fround(value / 255) - 0.5) / 0.5);
    expect(raster).toEqual({
      width: 1,
      height: 1,
      channels: 3,
      layout: 'CHW',
      data: Float32Array.from(expected),
    });
  });

  it('lets convert and resize stand in either order, which is not the same', () => {
    const convert = { step: 'convert', mode: 'grey' } as const;
    const resize = { step: 'resize', width: 1, height: 1, filter: 'box' } as const;
    expect(imageStepsSchema.safeParse([resize, convert]).success).toBe(true);
    // The luma of the pixels is 0 and 1, whose mean is rounded to 1; the luma of the mean pixel (0, 0, 4) is 0.
    const dark = () => ({ ...image, data: Uint8Array.of(0, 0, 3, 0, 0, 5) });
    expect([...runImageSteps(dark(), [convert, resize]).data]).toEqual([1]);
    expect([...runImageSteps(dark(), [resize, convert]).data]).toEqual([0]);
  });

  it('without steps gives the image itself', () => {
    expect(runImageSteps(image, [])).toBe(image);
  });
});

/** The issues that the schema finds in a list of steps. */
z.config(z.locales.en());

function problemsOf(steps: readonly object[]): unknown[] {
  const { error } = imageStepsSchema.safeParse(steps);
  return (error?.issues ?? []).map(({ path, message }) => [path, message]);
}

describe('imageStepsSchema', () => {
  const all = [
    { step: 'decode' },
    { step: 'orient' },
    { step: 'convert', mode: 'RGB' },
    { step: 'resize', width: 8, height: 8 },
    { step: 'centerCrop', width: 6, height: 6 },
    { step: 'rescale', scale: 1 },
    { step: 'normalize', mean: [0], std: [1] },
    { step: 'layout', layout: 'NCHW' },
    { step: 'datatype', datatype: 'FP32' },
  ];
  const pick = (names: readonly string[]) => names.flatMap((name) => all.filter(({ step }) => step === name));

  it('takes all steps in the order in which they make sense', () => {
    expect(problemsOf(all)).toEqual([]);
    const { data = [] } = imageStepsSchema.safeParse(all);
    expect(data.map(({ step }) => step)).toEqual(all.map(({ step }) => step));
    expect(data[0]).toEqual({ step: 'decode', decode: 'exact' });
    expect(problemsOf(pick(['centerCrop', 'resize', 'datatype', 'layout']))).toEqual([]);
  });

  it.each([
    [['rescale', 'resize'], '"resize" must come before "rescale"'],
    [['layout', 'normalize'], '"normalize" must come before "layout"'],
    [['layout', 'convert'], '"convert" must come before "layout"'],
    [['rescale', 'centerCrop'], '"centerCrop" must come before "rescale"'],
    [['orient', 'decode'], '"decode" must come before "orient"'],
    [['layout', 'layout'], '"layout" can stand only once'],
    [['orient', 'orient'], '"orient" can stand only once'],
  ])('refuses the order %j', (names, message) => {
    expect(problemsOf(pick(names))).toEqual([[[1], message]]);
  });

  it('refuses unknown steps and unknown options, by name', () => {
    expect(problemsOf([{ step: 'crop', width: 8 }])).toEqual([
      [[0, 'step'], expect.stringContaining('Invalid')],
    ]);
    expect(problemsOf([{ step: 'layout', layout: 'NCHW', axis: 1 }])).toEqual([
      [[0], 'Unrecognized key: "axis"'],
    ]);
    expect(problemsOf([{ step: 'decode', decode: 'quick' }])).toEqual([
      [[0, 'decode'], expect.stringContaining('"exact"|"fast"')],
    ]);
  });

  it('refuses numbers per channel for other channels than the image then has', () => {
    const normalize = { step: 'normalize', mean: [1, 2, 3], std: [1] };
    expect(problemsOf([{ step: 'convert', mode: 'BGR' }, normalize])).toEqual([]);
    expect(problemsOf([normalize])).toEqual([]);
    expect(problemsOf([{ step: 'convert', mode: 'grey' }, normalize])).toEqual([
      [[1], '"normalize" has 3 numbers of "mean" for 1 channels'],
    ]);
    expect(
      problemsOf([
        { step: 'convert', mode: 'grey' },
        { step: 'resize', longestEdge: 9, pad: [1, 2, 3] },
      ]),
    ).toEqual([[[1], '"resize" has 3 numbers of "pad" for 1 channels']]);
  });

  it('refuses numbers per channel that no image can have, and those that differ among each other', () => {
    expect(problemsOf([{ step: 'normalize', mean: [1, 2], std: [1] }])).toEqual([
      [[0], '"normalize" has 2 numbers of "mean" for 3 or 4 channels'],
    ]);
    expect(problemsOf([{ step: 'normalize', mean: [1, 2, 3], std: [1, 1, 1, 1] }])).toEqual([
      [[0], '"normalize" has 4 numbers of "std" for 3 or 4 channels'],
    ]);
  });

  it('refuses steps that make an image too large for memory', () => {
    const made = (step: object) => problemsOf([{ step: 'orient' }, step]);
    expect(made({ step: 'centerCrop', width: 4096, height: 4096 })).toEqual([]);
    expect(made({ step: 'centerCrop', width: 4097, height: 4096 })).toEqual([
      [[1], '"centerCrop" makes 4097x4096 pixels, more than 16777216'],
    ]);
    expect(made({ step: 'resize', width: 16_384, height: 1025 })).toEqual([
      [[1], '"resize" makes 16384x1025 pixels, more than 16777216'],
    ]);
    expect(made({ step: 'resize', longestEdge: 5000 })).toEqual([]);
    expect(made({ step: 'resize', longestEdge: 5000, pad: 0 })).toEqual([
      [[1], '"resize" makes 5000x5000 pixels, more than 16777216'],
    ]);
  });

  it('refuses steps that make an image too large together', () => {
    const half = { step: 'resize', width: 4096, height: 2048 };
    expect(problemsOf([half, half, half, half])).toEqual([]);
    const small = { step: 'resize', width: 1, height: 1 };
    expect(problemsOf([half, half, half, half, small, half])).toEqual([
      [[4], 'with "resize" the steps make more than 33554432 pixels together'],
    ]);
  });

  it('refuses more steps than are of use', () => {
    const convert = { step: 'convert', mode: 'BGR' };
    expect(problemsOf(new Array<object>(32).fill(convert))).toEqual([]);
    expect(problemsOf(new Array<object>(33).fill(convert))).toEqual([[[], 'must be at most 32 steps']]);
  });

  it('refuses numbers that values computed in float32 cannot have', () => {
    expect(problemsOf([{ step: 'rescale', scale: 1e300, offset: -1e300 }])).toEqual([
      [[0, 'scale'], 'must fit a float32'],
      [[0, 'offset'], 'must fit a float32'],
    ]);
    expect(problemsOf([{ step: 'normalize', mean: [1e39], std: [1e-46] }])).toEqual([
      [[0, 'mean', 0], 'must fit a float32'],
      [[0, 'std', 0], 'must be positive'],
    ]);
  });
});

describe('scoreStepSchema', () => {
  it('takes softmax, sigmoid and nothing else', () => {
    expect(scoreStepSchema.safeParse({ step: 'softmax' }).success).toBe(true);
    expect(scoreStepSchema.safeParse({ step: 'sigmoid' }).success).toBe(true);
    expect(scoreStepSchema.safeParse({ step: 'argmax' }).success).toBe(false);
    expect(scoreStepSchema.safeParse({ step: 'softmax', axis: 1 }).success).toBe(false);
  });
});
