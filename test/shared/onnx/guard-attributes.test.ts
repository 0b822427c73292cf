import { describe, expect, it } from 'vitest';
import { GUARDS } from '../../../shared/onnx/guard-operators.ts';
import { findGuards } from '../../../shared/onnx/guard-search.ts';
import { bytesSource } from '../../../shared/onnx/protobuf.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatAttribute,
  integerAttribute,
  integersAttribute,
  tensorValue,
} from '../../support/build-model.ts';

function refusalsOf(
  operator: string,
  attributes: readonly Uint8Array[],
  inputs = ['x', 'y'],
): readonly string[] {
  const [domain, type] = operator.includes('.')
    ? [operator.slice(0, operator.lastIndexOf('.')), operator.slice(operator.lastIndexOf('.') + 1)]
    : ['', operator];
  const model = buildModel({
    nodes: [buildNode(type, inputs, ['z'], { domain, attributes })],
    inputs: inputs.map((name) => tensorValue(name, FLOAT)),
    outputs: [tensorValue('z', FLOAT)],
    opsets: { '': 18, ...(domain !== '' && { [domain]: 1 }) },
  });
  return findGuards(bytesSource(model), 2 ** 24, GUARDS).refusals;
}

const GRAMS = [
  integersAttribute('ngram_counts', [0n, 4n]),
  integersAttribute('pool_int64s', [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]),
];

describe('what a file alone can end the process with', () => {
  it.each([
    ['RandomNormalLike', [floatAttribute('scale', 0)], 'scale'],
    ['RandomNormal', [floatAttribute('scale', -1)], 'scale'],
    ['RandomNormalLike', [floatAttribute('scale', Number.NaN)], 'scale'],
    ['RandomUniformLike', [floatAttribute('high', -1)], 'low and high'],
    ['RandomUniform', [floatAttribute('low', Number.NaN)], 'low and high'],
    ['RandomUniform', [floatAttribute('high', Number.POSITIVE_INFINITY)], 'low and high'],
    ['BatchNormalization', [integerAttribute('training_mode', 7)], 'training_mode'],
    ['BatchNormalization', [integerAttribute('training_mode', -1)], 'training_mode'],
    ['TfIdfVectorizer', [...GRAMS, integersAttribute('ngram_indexes', [0n])], 'ngram_indexes'],
    ['Attention', [integerAttribute('qk_matmul_output_mode', -1)], 'qk_matmul_output_mode'],
    ['Attention', [integerAttribute('q_num_heads', -(2 ** 63))], 'q_num_heads'],
    ['GatherND', [integerAttribute('batch_dims', 2 ** 53)], 'batch_dims'],
    ['RoiAlign', [integerAttribute('sampling_ratio', 2 ** 53)], 'sampling_ratio'],
    ['Split', [integerAttribute('num_outputs', 0)], 'num_outputs'],
    ['LRN', [integerAttribute('size', 2 ** 31 - 1)], 'size'],
    ['com.microsoft.QLinearConv', [integerAttribute('group', 0)], 'group'],
    ['com.microsoft.SparseAttention', [integerAttribute('num_heads', 2 ** 32)], 'num_heads'],
    ['com.microsoft.SparseAttention', [integerAttribute('kv_num_heads', 0)], 'kv_num_heads'],
    ['QuantizeLinear', [integerAttribute('block_size', 2 ** 62)], 'block_size'],
    ['DequantizeLinear', [integerAttribute('block_size', -1)], 'block_size'],
    ['com.microsoft.Attention', [integerAttribute('num_heads', 2 ** 31 - 1)], 'num_heads'],
    ['com.microsoft.QAttention', [integerAttribute('num_heads', 0)], 'num_heads'],
    ['com.microsoft.MultiHeadAttention', [integerAttribute('num_heads', -1)], 'num_heads'],
    ['com.microsoft.LinearAttention', [integerAttribute('q_num_heads', 2 ** 20)], 'q_num_heads'],
    ['com.microsoft.GroupQueryAttention', [integerAttribute('kv_num_heads', 2 ** 53)], 'kv_num_heads'],
    ['ai.onnx.ml.FeatureVectorizer', [integersAttribute('inputdimensions', [3n, -1n])], 'inputdimensions'],
    ['Scan', [integerAttribute('num_scan_inputs', 3)], 'num_scan_inputs'],
    ['AveragePool', [integersAttribute('kernel_shape', [1n, 2n ** 31n])], 'kernel_shape'],
    ['LpPool', [integersAttribute('kernel_shape', [2n ** 40n, 2n ** 40n])], 'kernel_shape'],
    ['MaxPool', [integersAttribute('kernel_shape', [2n ** 20n, 2n ** 20n])], 'kernel_shape'],
  ] as const)('is refused by its name: %s with %j', (operator, attributes, name) => {
    expect(refusalsOf(operator, attributes)).toEqual([`its ${operator} has no usable ${name}`]);
  });

  it.each([
    ['RandomNormalLike', []],
    ['RandomUniformLike', [floatAttribute('low', -1), floatAttribute('high', 0.5)]],
    ['BatchNormalization', [integerAttribute('training_mode', 1)]],
    ['TfIdfVectorizer', [...GRAMS, integersAttribute('ngram_indexes', [0n, 1n, 2n, 3n, 4n, 5n])]],
    ['GatherND', [integerAttribute('batch_dims', 1)]],
    ['RoiAlign', [integerAttribute('sampling_ratio', 2)]],
    [
      'com.microsoft.GroupQueryAttention',
      [integerAttribute('kv_num_heads', 8), integerAttribute('num_heads', 32)],
    ],
    ['ai.onnx.ml.FeatureVectorizer', [integersAttribute('inputdimensions', [3n, 0n])]],
    ['Scan', [integerAttribute('num_scan_inputs', 2)]],
    ['Split', [integerAttribute('num_outputs', 1)]],
    ['LRN', [integerAttribute('size', 5)]],
    ['DequantizeLinear', [integerAttribute('block_size', 128)]],
    ['com.microsoft.MultiHeadAttention', [integerAttribute('num_heads', 128)]],
    ['AveragePool', [integersAttribute('kernel_shape', [1000n, 1000n])]],
  ] as const)('is not refused where it is usable: %s with %j', (operator, attributes) => {
    expect(refusalsOf(operator, attributes)).toEqual([]);
  });
});
