import { describe, expect, it } from 'vitest';
import { compareOutputs } from '../../../../functions/cli/compare/compare-outputs.ts';
import type { InferenceOutput } from '../../../../shared/inference/output.ts';
import type { Label } from '../../../../shared/processing/classification.ts';
import { createTensor } from '../../../../shared/tensor/tensor.ts';

function classified(labels: readonly Label[], classId: number, scores: readonly number[]): InferenceOutput {
  const label = labels[classId] ?? '';
  return {
    kind: 'classification',
    labels,
    areProbabilities: true,
    predictions: [{ label, classId, scores: Float64Array.from(scores) }],
  };
}

const regressed = (prediction: number | readonly number[]): InferenceOutput => ({
  kind: 'regression',
  predictions: [prediction],
});

const tensors = (name: string, values: readonly number[]): InferenceOutput => ({
  kind: 'tensors',
  tensors: new Map([[name, createTensor('FP32', [values.length], Float32Array.from(values))]]),
});

describe('two answers to one row', () => {
  it('are compared by the names of their classes, in any order', () => {
    const [a, b] = [classified(['x', 'y'], 0, [0.75, 0.25]), classified(['y', 'x'], 0, [0.5, 0.5])];
    expect(compareOutputs(a, b)).toEqual({ labels: ['x', 'y'], difference: 0.25 });
    expect(compareOutputs(a, a)).toEqual({ labels: ['x', 'x'], difference: 0 });
  });

  it('are compared by the positions of their classes if one has numbers for names', () => {
    const [a, b] = [classified(['x', 'y'], 0, [0.75, 0.25]), classified([0, 1], 0, [0.625, 0.375])];
    expect(compareOutputs(a, b)).toEqual({ labels: ['x', 'x'], difference: 0.125 });
    expect(compareOutputs(b, a)).toEqual({ labels: ['0', '0'], difference: 0.125 });
  });

  it('have no labels if they are numbers', () => {
    expect(compareOutputs(regressed(1.5), regressed(-1))).toEqual({ labels: undefined, difference: 2.5 });
    expect(compareOutputs(regressed([1, 2]), regressed([1, 4])).difference).toBe(2);
  });

  it.each([
    [[Number.NaN], [Number.NaN], 0],
    [[Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY], 0],
    [[Number.NaN, 1], [0, 1], Number.POSITIVE_INFINITY],
    [[0], [Number.NaN], Number.POSITIVE_INFINITY],
    [[Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY], Number.POSITIVE_INFINITY],
    [[1, 2], [1], Number.POSITIVE_INFINITY],
    [[0], [-0], 0],
  ])('%j and %j differ by %d', (a, b, difference) => {
    expect(compareOutputs(tensors('y', a), tensors('y', b)).difference).toBe(difference);
  });

  it('are compared even if their only output has different names', () => {
    expect(compareOutputs(tensors('logits', [1, 2]), tensors('output_0', [1, 2.5])).difference).toBe(0.5);
  });

  it('are compared as labels if they are texts', () => {
    const text = (value: string): InferenceOutput => ({
      kind: 'tensors',
      tensors: new Map([['y', { datatype: 'BYTES', shape: [1], data: [value] }]]),
    });
    expect(compareOutputs(text('a'), text('b'))).toEqual({ labels: ['["a"]', '["b"]'], difference: 0 });
  });
});
