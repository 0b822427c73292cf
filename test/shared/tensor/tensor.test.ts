import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DATATYPE_NAMES } from '../../../shared/tensor/datatype.ts';
import {
  concatRows,
  createTensor,
  elementCount,
  sliceRows,
  type Tensor,
  toNumbers,
} from '../../../shared/tensor/tensor.ts';

const matrix = createTensor('FP32', [3, 2], [1, 2, 3, 4, 5, 6]);

describe('elementCount', () => {
  it.each([
    [[], 1],
    [[0], 0],
    [[2, 3, 4], 24],
    [[2, 0, 4], 0],
  ])('counts the elements of the shape [%s]', (shape, count) => {
    expect(elementCount(shape)).toBe(count);
  });
});

describe('toNumbers', () => {
  it('reads FP16 patterns, 64-bit integers, bools and texts', () => {
    expect([...toNumbers({ datatype: 'FP16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) })]).toEqual([
      1, -2,
    ]);
    expect([...toNumbers({ datatype: 'INT64', shape: [1], data: BigInt64Array.of(-7n) })]).toEqual([-7]);
    expect([...toNumbers({ datatype: 'BOOL', shape: [2], data: Uint8Array.of(0, 1) })]).toEqual([0, 1]);
    expect([...toNumbers({ datatype: 'BYTES', shape: [1], data: ['2.5'] })]).toEqual([2.5]);
  });

  it('copies', () => {
    const data = Float64Array.of(1);
    const numbers = toNumbers({ datatype: 'FP64', shape: [1], data });
    data[0] = 2;
    expect([...numbers]).toEqual([1]);
  });
});

describe('sliceRows', () => {
  it('gives the rows and shares their memory', () => {
    const rows = sliceRows(matrix, 1, 3);
    expect(rows).toEqual({ datatype: 'FP32', shape: [2, 2], data: Float32Array.of(3, 4, 5, 6) });
    expect(!Array.isArray(rows.data) && !Array.isArray(matrix.data) && rows.data.buffer).toBe(
      !Array.isArray(matrix.data) && matrix.data.buffer,
    );
  });

  it('slices strings and tensors with no elements', () => {
    const texts: Tensor = { datatype: 'BYTES', shape: [2, 1], data: ['a', 'b'] };
    expect(sliceRows(texts, 1, 2)).toEqual({ datatype: 'BYTES', shape: [1, 1], data: ['b'] });
    expect(sliceRows(createTensor('INT8', [2, 0], []), 0, 1)).toEqual(createTensor('INT8', [1, 0], []));
    expect(sliceRows(createTensor('INT8', [0, 4], []), 0, 0)).toEqual(createTensor('INT8', [0, 4], []));
  });
});

describe('concatRows', () => {
  it('joins rows in order', () => {
    const joined = concatRows([sliceRows(matrix, 2, 3), sliceRows(matrix, 0, 1), matrix]);
    expect(joined).toEqual(createTensor('FP32', [5, 2], [5, 6, 1, 2, 1, 2, 3, 4, 5, 6]));
  });

  it('joins scalars to a list', () => {
    const scalar = createTensor('INT32', [], [7]);
    expect(concatRows([scalar, scalar])).toEqual(createTensor('INT32', [2], [7, 7]));
  });

  it('puts slices of any tensor together again', () => {
    const tensors = fc
      .record({
        datatype: fc.constantFrom(...DATATYPE_NAMES),
        rows: fc.integer({ min: 1, max: 6 }),
        width: fc.integer({ min: 0, max: 4 }),
      })
      .map(({ datatype, rows, width }) =>
        createTensor(
          datatype,
          [rows, width],
          Array.from({ length: rows * width }, (_, index) => index % 2),
        ),
      );
    fc.assert(
      fc.property(tensors, fc.nat(), (tensor, seed) => {
        const rows = tensor.shape[0] ?? 0;
        const cut = seed % (rows + 1);
        expect(concatRows([sliceRows(tensor, 0, cut), sliceRows(tensor, cut, rows)])).toEqual(tensor);
      }),
    );
  });
});
