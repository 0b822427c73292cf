import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildModel, FLOAT, integersAttribute, tensorValue } from '../../support/build-model.ts';
import { createGraph, type GraphBuilder } from './graph.ts';

/** Blocks and inner channels of each stage. Source: He et al., "Deep Residual Learning", table 1. */
const STAGES = [
  { blocks: 3, channels: 64 },
  { blocks: 4, channels: 128 },
  { blocks: 6, channels: 256 },
  { blocks: 3, channels: 512 },
] as const;
const CLASSES = 1000;

/** The preprocessing of a classifier on ImageNet. */
export const CLASSIFIER_STEPS = [
  { step: 'convert', mode: 'RGB' },
  { step: 'resize', shortestEdge: 256, filter: 'bilinear' },
  { step: 'centerCrop', width: 224, height: 224 },
  { step: 'rescale', scale: 1 / 255 },
  { step: 'normalize', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  { step: 'layout', layout: 'NCHW' },
] as const;

/** A graph of the size of ResNet50 with random weights: 102 MB, 4.1 billion multiplications for an image of 224 x 224. */
export function resnet50(): Uint8Array {
  const graph = createGraph();
  let value = convolve(graph, 'image', { from: 3, to: 64, kernel: 7, stride: 2 });
  value = graph.node('Relu', [value]);
  value = graph.node(
    'MaxPool',
    [value],
    [ints('kernel_shape', 3, 3), ints('strides', 2, 2), ints('pads', 1, 1, 1, 1)],
  );
  let from = 64;
  for (const [stage, { blocks, channels }] of STAGES.entries()) {
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      value = addBlock(graph, value, { from, channels, stride });
      from = channels * 4;
    }
  }
  value = graph.node('GlobalAveragePool', [value]);
  value = graph.node('Flatten', [value]);
  graph.node(
    'Gemm',
    [value, graph.weights([from, CLASSES], from), graph.constant([CLASSES], 0)],
    [],
    'logits',
  );
  return buildModel({
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: [tensorValue('image', FLOAT, ['n', 3, 224, 224])],
    outputs: [tensorValue('logits', FLOAT, ['n', CLASSES])],
  });
}

interface Block {
  readonly from: number;
  readonly channels: number;
  readonly stride: number;
}

function addBlock(graph: GraphBuilder, input: string, { from, channels, stride }: Block): string {
  const to = channels * 4;
  let value = convolve(graph, input, { from, to: channels, kernel: 1, stride: 1 });
  value = graph.node('Relu', [value]);
  value = convolve(graph, value, { from: channels, to: channels, kernel: 3, stride });
  value = graph.node('Relu', [value]);
  value = convolve(graph, value, { from: channels, to, kernel: 1, stride: 1 });
  const isSame = from === to && stride === 1;
  const shortcut = isSame ? input : convolve(graph, input, { from, to, kernel: 1, stride });
  return graph.node('Relu', [graph.node('Add', [value, shortcut])]);
}

interface Convolution {
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride: number;
}

/** The batch normalisation after it is part of its weights and bias, as exporters write it. */
function convolve(graph: GraphBuilder, input: string, { from, to, kernel, stride }: Convolution): string {
  const pad = (kernel - 1) / 2;
  const weights = graph.weights([to, from, kernel, kernel], from * kernel * kernel);
  return graph.node(
    'Conv',
    [input, weights, graph.constant([to], 0.01)],
    [ints('kernel_shape', kernel, kernel), ints('strides', stride, stride), ints('pads', pad, pad, pad, pad)],
  );
}

function ints(name: string, ...values: readonly number[]): Uint8Array {
  return integersAttribute(name, values.map(BigInt));
}

/** Writes the version `resnet50/1` into a repository, and returns the path of its graph. */
export async function writeResnet50(repository: string): Promise<string> {
  const folder = join(repository, 'resnet50/1');
  const path = join(folder, 'model.onnx');
  const config = {
    task: 'image-classification',
    labels: Array.from({ length: CLASSES }, (_, index) => `class ${index}`),
    preprocess: CLASSIFIER_STEPS,
    postprocess: [{ step: 'softmax' }],
  };
  await mkdir(folder, { recursive: true });
  await writeFile(path, resnet50());
  await writeFile(join(folder, 'model.json'), JSON.stringify(config));
  return path;
}
