import { describe, expect, it } from 'vitest';
import { readImageSteps } from '../../../../shared/models/formats/image-processor.ts';
import { folderOf, reasonOf } from './make-folder-view.ts';

const stepsOf = (config: object, channels = 3, version?: string) =>
  readImageSteps(folderOf({ 'preprocessor_config.json': config }), { channels, version });

const NORMALIZE = { image_mean: [0.5, 0.5, 0.5], image_std: [0.25, 0.25, 0.25] };
const after = [
  { step: 'rescale', scale: 1 / 255 },
  { step: 'normalize', mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
  { step: 'layout', layout: 'NCHW' },
];
const rgb = { step: 'convert', mode: 'RGB' };

describe('the steps of preprocessor_config.json', () => {
  it.each([
    [0, 'nearest'],
    [1, 'lanczos'],
    [2, 'bilinear'],
    [3, 'bicubic'],
    [4, 'box'],
    [5, 'hamming'],
  ])('know the filter of the code %i as %s', async (resample, filter) => {
    const steps = await stepsOf({
      image_processor_type: 'ViTImageProcessor',
      size: 8,
      resample,
      ...NORMALIZE,
    });
    expect(steps).toEqual([rgb, { step: 'resize', width: 8, height: 8, filter }, ...after]);
  });

  const resize = (size: object) => ({ step: 'resize', filter: 'bilinear', ...size });
  const crop = (width: number, height: number) => ({
    step: 'centerCrop',
    width,
    height,
    rounding: 'down',
  });
  const NO_CROP = { do_center_crop: false };

  it.each([
    ['a number is a square for ViT', 'ViT', { size: 8 }, [resize({ width: 8, height: 8 })]],
    ['a number is the shorter side for CLIP', 'CLIP', { size: 8, ...NO_CROP }, [resize({ shortestEdge: 8 })]],
    ['height and width', 'ViT', { size: { height: 8, width: 9 } }, [resize({ width: 9, height: 8 })]],
    ['a pair', 'Beit', { size: [8, 9], ...NO_CROP }, [resize({ width: 9, height: 8 })]],
    [
      'a crop where the file does not say',
      'DeiT',
      { size: 10, crop_size: 8 },
      [resize({ width: 10, height: 10 }), crop(8, 8)],
    ],
    [
      'a shorter side and a crop',
      'MobileNetV2',
      { size: { shortest_edge: 10 }, crop_size: { height: 8, width: 9 }, do_center_crop: true },
      [resize({ shortestEdge: 10 }), crop(9, 8)],
    ],
    [
      'ConvNext: a share of the middle below 384',
      'ConvNext',
      { size: { shortest_edge: 224 }, crop_pct: 0.875 },
      [resize({ shortestEdge: 256 }), crop(224, 224)],
    ],
    [
      'ConvNext: the usual share where it is not given',
      'ConvNext',
      { size: { shortest_edge: 224 }, crop_pct: null },
      [resize({ shortestEdge: 256 }), crop(224, 224)],
    ],
    [
      'ConvNext: a square from 384 on',
      'ConvNext',
      { size: { shortest_edge: 384 }, crop_pct: 0.875 },
      [resize({ width: 384, height: 384 })],
    ],
    [
      'Levit: a bit more than the crop',
      'Levit',
      { size: { shortest_edge: 224 }, crop_size: 224 },
      [resize({ shortestEdge: 256 }), crop(224, 224)],
    ],
    [
      'PoolFormer: the whole of which the size is a share',
      'PoolFormer',
      { size: { shortest_edge: 224 }, crop_pct: 0.9, crop_size: 224 },
      [resize({ shortestEdge: 248 }), crop(224, 224)],
    ],
    ['no resizing', 'ViT', { do_resize: false }, []],
  ])('know sizes: %s', async (_, name, config, expected) => {
    const type = { image_processor_type: `${name}ImageProcessor`, resample: 2 };
    expect(await stepsOf({ ...type, ...NORMALIZE, ...config })).toEqual([rgb, ...expected, ...after]);
  });

  it('leave out steps that the file switches off, and use its own factor', async () => {
    const type = { image_processor_type: 'ViTImageProcessor', do_resize: false };
    expect(await stepsOf({ ...type, do_rescale: false, do_normalize: false })).toEqual([rgb, after[2]]);
    expect(await stepsOf({ ...type, rescale_factor: 0.5, do_normalize: false })).toEqual([
      rgb,
      { step: 'rescale', scale: 0.5 },
      after[2],
    ]);
  });

  it('reverse the colours for MobileViT, and make grey images for models of one channel', async () => {
    const mobile = { feature_extractor_type: 'MobileViTFeatureExtractor', do_resize: false, ...NO_CROP };
    expect(await stepsOf({ ...mobile, do_flip_channel_order: true })).toEqual([
      { step: 'convert', mode: 'BGR' },
      after[0],
      after[2],
    ]);
    expect(
      (await stepsOf({ ...mobile, image_mean: 0.5, image_std: 0.5, do_normalize: true }, 1)).slice(0, 3),
    ).toEqual([{ step: 'convert', mode: 'grey' }, after[0], { step: 'normalize', mean: [0.5], std: [0.5] }]);
  });

  it('divide twice for EfficientNet', async () => {
    const config = { image_processor_type: 'EfficientNetImageProcessor', do_resize: false, ...NORMALIZE };
    const steps = await stepsOf({ ...config, include_top: true, rescale_offset: false });
    expect(steps.slice(2, 4)).toEqual([
      after[1],
      { step: 'normalize', mean: [0, 0, 0], std: [0.25, 0.25, 0.25] },
    ]);
  });

  it('use the defaults of the class for null', async () => {
    const config = {
      size: { height: 8, width: 8 },
      resample: 2,
      do_resize: null,
      crop_size: null,
      do_pad: null,
    };
    const type = { image_processor_type: 'ViTImageProcessor', do_center_crop: null, do_rescale: null };
    expect(await stepsOf({ ...type, ...config, ...NORMALIZE, do_normalize: null, crop_pct: null })).toEqual([
      rgb,
      resize({ width: 8, height: 8 }),
      ...after,
    ]);
  });

  const FAST = [
    rgb,
    { ...resize({ shortestEdge: 10 }), arithmetic: 'torch' },
    { ...crop(8, 8), rounding: 'zero' },
    { step: 'normalize', mean: [127.5, 127.5, 127.5], std: [63.75, 63.75, 63.75] },
    after[2],
  ];

  it.each([
    ['CLIPImageProcessorFast', undefined, true],
    ['CLIPImageProcessorFast', '4.57.6', true],
    ['CLIPImageProcessor', '4.57.6', false],
    ['CLIPImageProcessor', undefined, false],
    ['CLIPImageProcessor', '5.0.0', true],
    ['CLIPImageProcessor', '5.23.0.dev0', true],
    ['CLIPImageProcessorPil', '5.0.0', false],
    ['CLIPFeatureExtractor', 'main', false],
  ])('are those of tensors or of Pillow: %s of transformers %s', async (type, version, isFast) => {
    const config = { image_processor_type: type, size: 10, resample: 2, crop_size: 8, ...NORMALIZE };
    const slow = [rgb, resize({ shortestEdge: 10 }), crop(8, 8), ...after];
    expect(await stepsOf(config, 3, version)).toEqual(isFast ? FAST : slow);
  });

  const vit = { image_processor_type: 'ViTImageProcessor', size: 8, resample: 2, ...NORMALIZE };

  it.each([
    ['no type', { size: 8 }, 'its preprocessor_config.json lacks "image_processor_type"'],
    [
      'an unknown type',
      { image_processor_type: 'TimmWrapperImageProcessor' },
      /^its preprocessor_config\.json has the type "TimmWrapperImageProcessor"; Ternion supports ViT, Siglip, /,
    ],
    ['no size', { ...vit, size: undefined }, 'its preprocessor_config.json lacks "size"'],
    ['no filter', { ...vit, resample: undefined }, 'its preprocessor_config.json lacks "resample"'],
    ['no mean', { ...vit, image_mean: null }, 'its preprocessor_config.json lacks "image_mean"'],
    ['no crop size', { ...vit, do_center_crop: true }, 'its preprocessor_config.json lacks "crop_size"'],
    [
      'a longest side',
      { ...vit, size: { longest_edge: 8 } },
      'its preprocessor_config.json is not valid (size: must be a number of pixels, {"height", "width"} or {"shortest_edge"})',
    ],
    [
      'padding',
      { ...vit, do_pad: true },
      'its preprocessor_config.json is not valid (do_pad: is not supported)',
    ],
    ['a filter of no meaning', { ...vit, resample: 6 }, /resample: /],
  ])('are refused: %s', async (_, config, reason) => {
    expect(await reasonOf(stepsOf(config))).toMatch(reason);
  });

  it('need the file', async () => {
    expect(await reasonOf(readImageSteps(folderOf({}), { channels: 3 }))).toBe(
      'an image model needs a preprocessor_config.json next to it',
    );
    expect(
      await reasonOf(readImageSteps(folderOf({ 'preprocessor_config.json': '{' }), { channels: 3 })),
    ).toBe('its preprocessor_config.json is not valid JSON at line 1, column 2');
  });
});
