import { describe, expect, it } from 'vitest';
import {
  encodeColumns,
  encodeNamedColumns,
  encodeNamedRows,
  encodeRows,
} from '../../../shared/answers/predictions.ts';
import { writeJson } from '../../../shared/json/write-json.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import { errorOf } from '../../support/error-of.ts';

const STYLE = { nonFinite: 'null' } as const;
const y = createTensor('FP32', [2, 2], [1, 2.5, 3, Number.NaN]);
const label = createTensor('INT64', [2], [7, 8]);
const one = new Map([['y', y]]);
const both = new Map([
  ['y', y],
  ['label', label],
]);

describe('outputs', () => {
  it.each([
    ['rows of one', encodeRows(one, STYLE), '[[1,2.5],[3,null]]'],
    ['rows of several', encodeRows(both, STYLE), '[{"y":[1,2.5],"label":7},{"y":[3,null],"label":8}]'],
    ['named rows of one', encodeNamedRows(one, STYLE), '[{"y":[1,2.5]},{"y":[3,null]}]'],
    ['a column', encodeColumns(one, STYLE), '[[1,2.5],[3,null]]'],
    ['columns', encodeColumns(both, STYLE), '{"y":[[1,2.5],[3,null]],"label":[7,8]}'],
    ['a named column', encodeNamedColumns(one, STYLE), '{"y":[[1,2.5],[3,null]]}'],
  ])('are written as %s', (_, written, text) => {
    expect(writeJson(written)).toBe(text);
  });

  it('without a common axis of instances cannot be written as rows', () => {
    const outputs = new Map([...one, ['total', createTensor('FP32', [], [1])]]);
    for (const encode of [encodeRows, encodeNamedRows]) {
      expect(errorOf(() => encode(outputs, STYLE)).message).toMatch(/^Output "total" has the shape \[\]/);
    }
    const scalar = new Map([['total', createTensor('FP32', [], [1])]]);
    expect(errorOf(() => encodeRows(scalar, STYLE)).message).toMatch(/^Output "total"/);
  });
});
