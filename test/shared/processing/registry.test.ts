import { describe, expect, it } from 'vitest';
import type { PixelRaster } from '../../../shared/processing/image/raster.ts';
import { imageStepsSchema, runImageSteps, scoreStepSchema } from '../../../shared/processing/registry.ts';

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
    const raster = runImageSteps(image, steps);
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
    const dark = { ...image, data: Uint8Array.of(0, 0, 3, 0, 0, 5) };
    expect([...runImageSteps(dark, [convert, resize]).data]).toEqual([1]);
    expect([...runImageSteps(dark, [resize, convert]).data]).toEqual([0]);
  });

  it('without steps gives the image itself', () => {
    expect(runImageSteps(image, [])).toBe(image);
  });
});

describe('imageStepsSchema', () => {
  it.each([
    [['rescale', 'resize'], '"resize" must come before "rescale"'],
    [['layout', 'normalize'], '"normalize" must come before "layout"'],
    [['layout', 'convert'], '"convert" must come before "layout"'],
  ])('refuses the order %j', (names, message) => {
    const all = [
      { step: 'convert', mode: 'RGB' },
      { step: 'resize', width: 8, height: 8 },
      { step: 'rescale', scale: 1 },
      { step: 'normalize', mean: [0], std: [1] },
      { step: 'layout', layout: 'NCHW' },
    ];
    const steps = names.map((name) => all.find(({ step }) => step === name));
    const { error } = imageStepsSchema.safeParse(steps);
    expect(error?.issues.map((issue) => [issue.path, issue.message])).toEqual([[[1], message]]);
  });

  it('refuses unknown steps and unknown options', () => {
    expect(imageStepsSchema.safeParse([{ step: 'crop', width: 8 }]).success).toBe(false);
    expect(imageStepsSchema.safeParse([{ step: 'layout', layout: 'NCHW', axis: 1 }]).success).toBe(false);
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
