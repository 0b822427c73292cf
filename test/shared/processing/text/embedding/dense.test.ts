import { describe, expect, it } from 'vitest';
import { createDenseLayer, runDense } from '../../../../../shared/processing/text/embedding/dense.ts';
import { readSafetensors } from '../../../../../shared/processing/text/embedding/safetensors.ts';

function file(header: object | string, values: readonly number[] = []): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([prefix, json, Buffer.from(Float32Array.from(values).buffer)]);
}

const weights = file(
  {
    __metadata__: { format: 'pt' },
    'linear.bias': { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    'linear.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [8, 32] },
  },
  [10, -20, 1, 2, 3, 4, 5, 6],
);
const config = (more: object = {}) => ({
  in_features: 3,
  out_features: 2,
  activation_function: 'torch.nn.modules.linear.Identity',
  ...more,
});
const vectors = { count: 2, size: 3, values: Float64Array.of(1, 0, 0, 1, 1, 1) };

describe('a dense layer', () => {
  it('multiplies, adds and activates', () => {
    const run = (more: object) => [...runDense(vectors, createDenseLayer(config(more), weights)).values];
    expect(run({})).toEqual([11, -16, 16, -5]);
    expect(run({ activation_function: 'torch.nn.modules.activation.ReLU' })).toEqual([11, 0, 16, 0]);
    expect(run({ bias: false })).toEqual([1, 4, 6, 15]);
    expect(run({ bias: false, activation_function: undefined })).toEqual([1, 4, 6, 15].map(Math.tanh));
  });

  it.each([
    [
      config({ activation_function: 'torch.nn.GLU' }),
      'its activation "GLU" is unknown; expected one of Identity, ReLU, Sigmoid, Tanh',
    ],
    [config({ in_features: 4 }), 'its tensor "linear.weight" is not of shape [2,4]'],
    [{ in_features: 3 }, 'its config.json does not describe a dense layer'],
  ])('is not made of %j', (json, message) => {
    expect(() => createDenseLayer(json, weights)).toThrow(message);
  });

  it('takes vectors of its own size only', () => {
    const layer = createDenseLayer(config(), weights);
    expect(() => runDense({ ...vectors, size: 2, count: 3 }, layer)).toThrow(
      'The model gives vectors of 2 numbers; its dense layer takes 3.',
    );
  });
});

describe('readSafetensors', () => {
  it('gives the tensor of a name, or nothing', () => {
    expect(readSafetensors(weights, 'linear.bias')).toEqual({ shape: [2], values: Float32Array.of(10, -20) });
    expect(readSafetensors(weights, 'toString')).toBeUndefined();
  });

  const entry = (more: object) =>
    file({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...more } }, [1, 2]);
  it.each([
    ['nothing', Buffer.alloc(3), 'its header is cut off'],
    ['a header longer than the file', file({}).fill(255, 0, 7), 'its header is cut off'],
    ['a header that is not JSON', file('{'), 'its header is broken'],
    ['another datatype', entry({ dtype: 'F16' }), 'its tensor "a" is not of the datatype F32'],
    ['too few numbers', entry({ shape: [3] }), 'its tensor "a" is cut off'],
    ['numbers beyond the file', entry({ data_offsets: [4, 12] }), 'its tensor "a" is cut off'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes, 'a')).toThrow(message);
  });
});
