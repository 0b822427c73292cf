import { describe, expect, it } from 'vitest';
import { recogniseModel } from '../../../../shared/models/formats/recognise.ts';
import { KNOWN_TASKS } from '../../../support/known-tasks.ts';
import { folderOf, reasonOf, viewOf } from './make-folder-view.ts';

const view = viewOf([['pixel_values', 'FP32', [-1, 3, 8, 8]]], [['logits', 'FP32', [-1, 2]]]);
const OPTIMUM = {
  'config.json': {
    model_type: 'vit',
    architectures: ['ViTForImageClassification'],
    id2label: { 0: 'cat', 1: 'dog' },
  },
  'preprocessor_config.json': {
    image_processor_type: 'ViTImageProcessor',
    size: 8,
    resample: 2,
    image_mean: [0.5],
    image_std: [0.5],
  },
};
const TRITON = {
  'config.pbtxt': 'max_batch_size: 4 output { name: "logits" dims: 2 label_filename: "names.txt" }',
};

const TIMM = {
  architecture: 'resnet18',
  num_classes: 2,
  pretrained_cfg: { input_size: [3, 8, 8], crop_pct: 1 },
};
const { id2label: _, ...unnamed } = OPTIMUM['config.json'];

describe('a folder of several formats', () => {
  it('is of the first, with additions from the others', async () => {
    const folder = folderOf(OPTIMUM, { ...TRITON, 'names.txt': 'cat\ndog' });
    expect(await recogniseModel(folder, view, KNOWN_TASKS)).toMatchObject({
      format: 'optimum',
      config: { task: 'image-classification', labels: ['cat', 'dog'], maxBatchSize: 4 },
    });
  });

  it.each([
    ['triton', folderOf({ 'config.json': TIMM }, { ...TRITON, 'names.txt': 'cat\ndog' })],
    ['torchserve', folderOf({ 'config.json': TIMM, 'index_to_name.json': { 0: 'cat', 1: 'dog' } })],
  ])('has the labels of %s where the first names none', async (_, folder) => {
    expect(await recogniseModel(folder, view, KNOWN_TASKS)).toMatchObject({
      format: 'timm',
      config: { task: 'image-classification', labels: ['cat', 'dog'] },
    });
  });

  it.each([
    ['timm', folderOf({ 'config.json': TIMM, 'labels.txt': 'cat\ndog' })],
    ['optimum', folderOf({ ...OPTIMUM, 'config.json': unnamed, 'labels.txt': 'cat\ndog' })],
    ['triton', folderOf({ 'labels.txt': 'cat\ndog' }, { 'config.pbtxt': 'max_batch_size: 4' })],
    ['onnx', folderOf({ 'labels.txt': 'cat\ndog' })],
  ])('has the labels of labels.txt where %s names none', async (format, folder) => {
    expect(await recogniseModel(folder, view, KNOWN_TASKS)).toMatchObject({
      format,
      config: { labels: ['cat', 'dog'] },
    });
  });

  it('keeps the labels of a format before those of labels.txt', async () => {
    const folder = folderOf({ ...OPTIMUM, 'labels.txt': 'a\nb\nc' });
    expect(await recogniseModel(folder, view, KNOWN_TASKS)).toMatchObject({
      config: { labels: ['cat', 'dog'] },
    });
  });

  it('is refused where they name different labels', async () => {
    const folder = folderOf(OPTIMUM, { ...TRITON, 'names.txt': 'dog\ncat' });
    expect(await reasonOf(recogniseModel(folder, view, KNOWN_TASKS))).toBe(
      'its files of optimum and triton name different labels: write a model.json with the right ones',
    );
    const served = folderOf({ ...OPTIMUM, 'index_to_name.json': { 0: 'a', 1: 'b' } });
    expect(await reasonOf(recogniseModel(served, view, KNOWN_TASKS))).toContain(
      'its files of optimum and torchserve name different labels',
    );
  });

  it('is refused where one of them contradicts the graph', async () => {
    const folder = folderOf({ ...OPTIMUM, 'index_to_name.json': { 0: 'cat' } });
    expect(await reasonOf(recogniseModel(folder, view, KNOWN_TASKS))).toBe(
      'its index_to_name.json names 1 labels, output "logits" has 2 scores',
    );
  });

  it('is onnx alone where there are no other files', async () => {
    expect(await recogniseModel(folderOf({}), view, KNOWN_TASKS)).toEqual({
      format: 'onnx',
      config: { task: 'tensor' },
      example: undefined,
    });
  });
});
