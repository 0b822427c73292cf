import { describe, expect, it } from 'vitest';
import { fitShape } from '../../../shared/values/named-inputs.ts';

const fitted = (shape: readonly number[], expected: readonly number[]) =>
  fitShape({ shape }, { name: 'x', datatype: 'FP32', shape: expected }, 'Input "x"');

describe('fitShape', () => {
  it.each([
    [[], [], []],
    [[1], [], []],
    [[], [1], [1]],
    [[5], [-1, 1], [5, 1]],
    [[5, 1], [-1], [5]],
    [
      [2, 3],
      [-1, 3, 1],
      [2, 3, 1],
    ],
    [
      [5, 4],
      [-1, 4],
      [5, 4],
    ],
  ])('%j fits %j as %j', (shape, expected, result) => {
    expect(fitted(shape, expected)).toEqual(result);
  });

  it.each([
    [[2], []],
    [[1, 1], []],
    [[4], [-1, 4]],
    // Four rows of one column are not one row of four.
    [[4], [-1, -1]],
    [
      [1, 5],
      [-1, 1],
    ],
    [[1, 5], [5]],
  ])('%j does not fit %j', (shape, expected) => {
    expect(() => fitted(shape, expected)).toThrow(
      `Input "x" has the shape [${shape}]; expected [${expected}]`,
    );
  });
});
