import { describe, expect, it } from 'vitest';
import { recogniseTimm } from '../../../../shared/models/formats/timm.ts';
import { folderOf, reasonOf, viewOf } from './make-folder-view.ts';

const images = viewOf([['x', 'FP32', [-1, 3, 32, 32]]], [['y', 'FP32', [-1, 2]]]);
const recognise = (config: object | string, view: typeof images | undefined = images) =>
  recogniseTimm(folderOf({ 'config.json': config }), view);
const CONFIG = { label_names: ['cat', 'dog'], pretrained_cfg: { input_size: [3, 32, 32] } };

describe('a model of timm', () => {
  it('has its labels and the evaluation transform', async () => {
    expect(await recognise({ ...CONFIG, model_type: 'timm_wrapper' })).toEqual({
      task: 'image-classification',
      labels: ['cat', 'dog'],
      output: 'y',
      preprocess: [
        { step: 'convert', mode: 'RGB' },
        { step: 'resize', shortestEdge: 36, filter: 'bicubic' },
        { step: 'centerCrop', width: 32, height: 32 },
        { step: 'rescale', scale: 1 / 255 },
        { step: 'normalize', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
        { step: 'layout', layout: 'NCHW' },
      ],
      postprocess: [{ step: 'softmax' }],
    });
  });

  const SQUASHED = { input_size: [1, 32, 32], crop_mode: 'squash', mean: [0.5], std: [0.5] };

  it('gives features where it has no classes', async () => {
    const config = { num_classes: 0, pretrained_cfg: SQUASHED };
    expect(await recognise(config)).toMatchObject({
      task: 'feature-extraction',
      output: 'y',
      preprocess: [
        { step: 'convert', mode: 'grey' },
        { step: 'resize', width: 36, height: 36, filter: 'bicubic' },
        { step: 'centerCrop', width: 32, height: 32 },
        { step: 'rescale' },
        { step: 'normalize', mean: [0.5], std: [0.5] },
        { step: 'layout' },
      ],
    });
  });

  it('takes the list of numbers, not the feature maps', async () => {
    const wrapped = viewOf(
      [['x', 'FP32', [-1, 3, 32, 32]]],
      [
        ['last_hidden_state', 'FP32', [-1, 8, 2, 2]],
        ['pooler_output', 'FP32', [-1, 8]],
      ],
    );
    expect(await recognise({ num_classes: 0, pretrained_cfg: {} }, wrapped)).toMatchObject({
      output: 'pooler_output',
    });
  });

  it('is known without its graph', async () => {
    expect(await recogniseTimm(folderOf({ 'config.json': CONFIG }), undefined)).toMatchObject({
      task: 'image-classification',
    });
  });

  it('takes tensors where the graph takes no images', async () => {
    expect(await recognise(CONFIG, viewOf([['x', 'FP32', [-1, 5]]], [['y', 'FP32', [-1, 2]]]))).toEqual({
      task: 'tensor',
    });
  });

  it('is not recognised without pretrained_cfg', async () => {
    expect(await recognise({ model_type: 'vit' })).toBeUndefined();
    expect(await recognise('[')).toBeUndefined();
    expect(await recogniseTimm(folderOf({}), images)).toBeUndefined();
  });

  it.each([
    [
      { pretrained_cfg: { crop_mode: 'border' } },
      'its config.json is not valid (pretrained_cfg.crop_mode: must be center or squash, other modes are not supported)',
    ],
    [
      { pretrained_cfg: { input_size: [3, 32, 64] } },
      'its config.json takes images of 64 x 32 pixels; only square centre crops are supported',
    ],
    [
      { pretrained_cfg: { input_size: [4, 32, 32] } },
      'its config.json is not valid (pretrained_cfg.input_size.0: must be 1 or 3 channels)',
    ],
    [{ ...CONFIG, label_names: ['cat'] }, 'its config.json names 1 labels, output "y" has 2 scores'],
  ])('is refused: %j', async (config, reason) => {
    expect(await reasonOf(recognise(config))).toBe(reason);
  });
});
