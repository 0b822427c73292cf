import { describe, expect, it } from 'vitest';
import {
  normalizeVectors,
  type Pooling,
  poolVectors,
  readVectors,
} from '../../../../../shared/processing/text/embedding/pooling.ts';
import { createTensor } from '../../../../../shared/tensor/tensor.ts';

const vectors = { count: 3, size: 2, values: Float64Array.of(1, -2, 3, -4, 50, 60) };
const valuesOf = (pooling: Pooling, mask?: readonly number[]) => [
  ...poolVectors(vectors, mask, pooling).values,
];

describe('readVectors', () => {
  it('gives one vector per row of a matrix', () => {
    const rows = readVectors(createTensor('FP32', [2, 3], [1, 2, 3, 4, 5, 6]));
    expect(rows).toEqual([
      { count: 1, size: 3, values: Float64Array.of(1, 2, 3) },
      { count: 1, size: 3, values: Float64Array.of(4, 5, 6) },
    ]);
  });

  it('gives one vector per token', () => {
    const [row] = readVectors(createTensor('FP32', [1, 3, 2], [1, 2, 3, 4, 5, 6]));
    expect(row).toEqual({ count: 3, size: 2, values: Float64Array.of(1, 2, 3, 4, 5, 6) });
  });

  it('gives one vector of channels per place of a map', () => {
    const [row] = readVectors(createTensor('FP32', [1, 2, 1, 3], [1, 2, 3, 10, 20, 30]));
    expect(row).toEqual({ count: 3, size: 2, values: Float64Array.of(1, 10, 2, 20, 3, 30) });
  });

  it('gives nothing for no rows', () => {
    expect(readVectors(createTensor('FP32', [0, 3, 2], []))).toEqual([]);
  });
});

describe('poolVectors', () => {
  it('takes all vectors where nothing says which count', () => {
    expect(valuesOf('mean')).toEqual([18, 18]);
    expect(valuesOf('max')).toEqual([50, 60]);
    expect(valuesOf('cls')).toEqual([1, -2]);
    expect(valuesOf('none')).toEqual([1, -2, 3, -4, 50, 60]);
  });

  it('leaves padding out, at either side', () => {
    expect(valuesOf('mean', [1, 1, 0])).toEqual([2, -3]);
    expect(valuesOf('max', [1, 1, 0])).toEqual([3, -2]);
    expect(valuesOf('cls', [0, 1, 1])).toEqual([3, -4]);
    expect(valuesOf('none', [0, 1, 1])).toEqual([3, -4, 50, 60]);
  });

  it('takes the last, weighs by place, or divides by a root, as sentence-transformers does', () => {
    expect(valuesOf('last', [1, 1, 0])).toEqual([3, -4]);
    expect(valuesOf('last', [0, 1, 1])).toEqual([50, 60]);
    expect(valuesOf('meanSqrt', [1, 1, 0])).toEqual([4 / Math.SQRT2, -6 / Math.SQRT2]);
    expect(valuesOf('weightedMean', [1, 1, 0])).toEqual([7 / 3, -10 / 3]);
  });

  it('weighs by the place in the text, wherever the padding is', () => {
    expect(valuesOf('weightedMean', [0, 1, 1])).toEqual([103 / 3, 116 / 3]);
  });

  it('gives zeros for a row that is all padding', () => {
    for (const pooling of ['mean', 'cls', 'max', 'last', 'meanSqrt', 'weightedMean'] as const) {
      expect(valuesOf(pooling, [0, 0, 0])).toEqual([0, 0]);
    }
  });
});

describe('normalizeVectors', () => {
  it('divides each vector by its length', () => {
    const scaled = normalizeVectors({ count: 2, size: 2, values: Float64Array.of(3, 4, 0, -5) });
    expect([...scaled.values]).toEqual([0.6, 0.8, 0, -1]);
  });

  it('leaves a vector of zeros as it is', () => {
    expect([...normalizeVectors({ count: 1, size: 2, values: new Float64Array(2) }).values]).toEqual([0, 0]);
  });
});
