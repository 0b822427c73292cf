import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../shared/json/json-value.ts';
import {
  decodeTable,
  type Table,
  tableOfColumns,
  tableOfRecords,
  tableOfSplit,
} from '../../../shared/values/table.ts';
import { errorOf } from '../../support/error-of.ts';
import { contract, spec } from '../../support/make-contract.ts';
import { LIMITS } from '../../support/make-inference.ts';

const MATRIX = contract([spec('x', 'FP32', [-1, 3])]);
const FEATURES = contract([spec('x', 'FP32', [-1, 3])], { features: ['a', 'b', 'c'] });
const TWO = contract([spec('p', 'FP32', [-1, 1]), spec('q', 'BYTES', [-1])]);

const decode = (table: Table, model = MATRIX) => decodeTable(table, model, LIMITS);
const text = (names: readonly string[] | undefined, ...rows: string[][]): Table => ({
  names,
  columns: (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? '')),
  field: 'body',
  isText: true,
});

describe('a table', () => {
  it('stands in a single input, columns in the order they came', () => {
    const table = tableOfSplit(
      {
        columns: ['u', 'v', 'w'],
        data: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      },
      'd',
    );
    expect(decode(table).get('x')).toEqual({
      datatype: 'FP32',
      shape: [2, 3],
      data: Float32Array.from([1, 2, 3, 4, 5, 6]),
    });
  });

  it('goes by the names of the features, in any order and among other columns', () => {
    const table = tableOfSplit({ columns: ['c', 'id', 'a', 'b'], data: [[3, 99, 1, 2]] }, 'd');
    expect(decode(table, FEATURES).get('x')).toMatchObject({ data: Float32Array.from([1, 2, 3]) });
    const records = tableOfRecords(
      [
        { b: 2, c: 3, a: 1 },
        { a: 4, b: 5, c: 6, d: 7 },
      ],
      'd',
    );
    expect(decode(records, FEATURES).get('x')).toMatchObject({ data: Float32Array.from([1, 2, 3, 4, 5, 6]) });
  });

  it('whose columns pandas numbered goes by their order', () => {
    const numbered = tableOfSplit({ columns: [0, 1, 2], index: [0], data: [[1, 2, 3]] }, 'd');
    expect(decode(numbered, FEATURES).get('x')).toMatchObject({ data: Float32Array.from([1, 2, 3]) });
    expect(decode(text(undefined, ['1', '2', '3']), FEATURES).get('x')).toMatchObject({ shape: [1, 3] });
  });

  it('gives each input the column of its name, or of its place where there are no names', () => {
    const expected = new Map([
      ['p', { datatype: 'FP32', shape: [2, 1], data: Float32Array.from([1, 2]) }],
      ['q', { datatype: 'BYTES', shape: [2], data: ['x', '7'] }],
    ]);
    expect(decode(tableOfColumns({ q: ['x', 7], p: [1, 2] }, 'd'), TWO)).toEqual(expected);
    expect(decode(text(undefined, ['1', 'x'], ['2', '7']), TWO)).toEqual(expected);
    expect(decode(text(['0', '1'], ['1', 'x'], ['2', '7']), TWO)).toEqual(expected);
  });

  it('finds the inputs by the names of the features, where those of the graph are others', () => {
    const named = contract(TWO.inputs, { features: ['monthly fee', 'city'] });
    const expected = new Map([
      ['p', { datatype: 'FP32', shape: [2, 1], data: Float32Array.from([1, 2]) }],
      ['q', { datatype: 'BYTES', shape: [2], data: ['x', '7'] }],
    ]);
    const columns = { city: ['x', 7], id: [0, 1], 'monthly fee': [1, 2] };
    expect(decode(tableOfColumns(columns, 'd'), named)).toEqual(expected);
    expect(decode(tableOfColumns({ q: ['x', 7], p: [1, 2] }, 'd'), named)).toEqual(expected);
    const missing = tableOfColumns({ 'monthly fee': [1, 2] }, 'd');
    expect(errorOf(() => decode(missing, named)).message).toBe(
      'Field "d" has no column "city"; its columns are "monthly fee".',
    );
    const wide = contract([spec('numbers', 'FP32', [-1, 2]), spec('text', 'BYTES', [-1, 1])], {
      features: ['a', 'b', 'c'],
    });
    expect(decode(tableOfColumns({ c: ['x'], b: [2], a: [1] }, 'd'), wide)).toEqual(
      new Map([
        ['numbers', { datatype: 'FP32', shape: [1, 2], data: Float32Array.from([1, 2]) }],
        ['text', { datatype: 'BYTES', shape: [1, 1], data: ['x'] }],
      ]),
    );
    const unknown = tableOfColumns({ c: ['x'], b: [2], a: [1] }, 'd');
    expect(() => decode(unknown, contract(wide.inputs))).toThrow('expected one per input: "numbers", "text"');
  });

  it('takes the shape of an input with more axes, or with one', () => {
    const image = contract([spec('x', 'FP32', [-1, 1, 2, 2])]);
    expect(decode(text(undefined, ['1', '2', '3', '4']), image).get('x')).toMatchObject({
      shape: [1, 1, 2, 2],
    });
    const list = contract([spec('x', 'FP32', [-1])]);
    expect(decode(text(undefined, ['1'], ['2']), list).get('x')).toMatchObject({ shape: [2] });
    const cells = tableOfSplit({ columns: ['v'], data: [[[1, 2]], [[3, 4]]] }, 'd');
    const nested = contract([spec('x', 'FP32', [-1, 1, 2])]);
    expect(decode(cells, nested).get('x')).toMatchObject({ shape: [2, 1, 2] });
  });

  it('has images in base64 in its only column', () => {
    const image = contract([spec('x', 'FP32', [-1, 1, 2, 2])], { imageInput: 'x' });
    expect(decode(tableOfColumns({ picture: ['AAEC'] }, 'd'), image).get('x')).toEqual({
      datatype: 'BYTES',
      shape: [1],
      elements: [Buffer.from([0, 1, 2])],
    });
  });

  it.each([
    ['FP32', ' 1.5 ', 1.5],
    ['FP32', '-2e3', -2000],
    ['FP32', '', Number.NaN],
    ['FP32', 'nan', Number.NaN],
    ['FP32', '+inf', Infinity],
    ['FP64', '-Infinity', -Infinity],
    ['INT64', '9223372036854775807', 2n ** 63n - 1n],
    ['INT64', '-9007199254740993', -9007199254740993n],
    ['INT32', '+7', 7],
    ['BOOL', 'TRUE', 1],
    ['BOOL', '0', 0],
    ['BYTES', ' a ', ' a '],
  ] as const)('reads a cell of %s out of the text %j', (datatype, cell, value) => {
    const model = contract([spec('x', datatype, [-1, 1])]);
    const tensor = decode(text(undefined, [cell]), model).get('x');
    expect(tensor && 'data' in tensor && [...tensor.data]).toEqual([value]);
  });

  it.each([
    ['INT32', '', /\(column 1\) is the string ""; expected a number/],
    ['INT32', '1.5', /expected a whole number from -2147483648 to 2147483647 \(INT32\)/],
    [
      'INT64',
      '9223372036854775808',
      /expected a whole number from -9223372036854775808 to 9223372036854775807/,
    ],
    ['UINT8', '256', /expected a whole number from 0 to 255/],
    ['FP32', '1,5', /\(column 1\) is the string "1,5"; expected a number/],
    ['FP32', '0x10', /expected a number/],
    ['BOOL', 'yes', /expected a number/],
    // The search for a number must not try every place where its digits could part.
    ['FP32', `${'1'.repeat(1_000_000)}x`, /expected a number/],
  ] as const)('refuses for %s the text %.20j', (datatype, cell, message) => {
    const model = contract([spec('x', datatype, [-1, 1])]);
    expect(errorOf(() => decode(text(undefined, [cell]), model)).message).toMatch(message);
  });

  it.each<[string, () => Table, RegExp]>([
    ['no rows', () => tableOfSplit({ columns: ['a'], data: [] }, 'd'), /^Field "d" has no rows/],
    [
      'too few columns',
      () => text(undefined, ['1', '2']),
      /^Field "body" has 2 columns; the model takes 3\.$/,
    ],
    [
      'a name that is not a text',
      () => tableOfSplit({ columns: ['a', { b64: 5 }], data: [[1, 2]] }, 'd'),
      /^Field "d\.columns\[1\]" is .*; expected the name of a column\.$/,
    ],
    [
      'one name twice',
      () => tableOfSplit({ columns: ['a', 'b', 'a'], data: [[1, 2, 3]] }, 'd'),
      /^Field "d\.columns" has the column "a" twice\.$/,
    ],
    [
      'a row of another length',
      () =>
        tableOfSplit(
          {
            columns: ['a', 'b', 'c'],
            data: [
              [1, 2, 3],
              [1, 2],
            ],
          },
          'd',
        ),
      /^Field "d\.data\[1\]" has 2 cells; expected 3\.$/,
    ],
    [
      'text in a row',
      () => text(['a', 'b', 'c'], ['1', '2', '3'], ['4', 'five', '6']),
      /^Field "body" \(column b, row 2\) is the string "five"; expected a number\.$/,
    ],
    [
      'records that are lists',
      () => tableOfRecords([[1]], 'd'),
      /^Field "d\[0\]" is an array of 1; expected an object/,
    ],
    [
      'a record short of a column',
      () => tableOfRecords([{ a: 1 }, { b: 1 }], 'd'),
      /"d\[1\]" lacks the column "a"/,
    ],
    [
      'a record with a column more',
      () =>
        tableOfRecords(
          [
            { a: 1, b: 2, c: 3 },
            { a: 1, b: 2, c: 3, e: 4 },
          ],
          'd',
        ),
      /"d\[1\]" has the column "e", which the first row lacks/,
    ],
    [
      'columns of two lengths',
      () => tableOfColumns({ a: [1], b: [1, 2] }, 'd'),
      /"d\.b" has 2 values; "a" has 1/,
    ],
    [
      'a column that is not a list',
      () => tableOfColumns({ a: 1 }, 'd'),
      /^Field "d\.a" is the number 1; expected an array/,
    ],
  ])('with %s is refused', (_, table, message) => {
    expect(errorOf(() => decode(table())).message).toMatch(message);
  });

  it.each<[string, JsonValue]>([
    ['features', { columns: ['a', 'b', 'd'], data: [[1, 2, 3]] }],
    ['inputs', { columns: ['p', 'r'], data: [[1, 2]] }],
  ])('without the names of the %s says which names it has and which are expected', (what, value) => {
    const table = tableOfSplit(value, 'd');
    const message = errorOf(() => decode(table, what === 'inputs' ? TWO : FEATURES)).message;
    expect(message).toBe(
      what === 'inputs'
        ? 'Field "d" has the columns "p", "r"; expected one per input: "p", "q".'
        : 'Field "d" has no column "c"; its columns are "a", "b", "d".',
    );
  });

  it('has no more rows than a request may have instances', () => {
    const table = text(undefined, ...Array.from({ length: 3 }, () => ['1', '2', '3']));
    expect(errorOf(() => decodeTable(table, MATRIX, { ...LIMITS, batchSize: 2 }))).toMatchObject({
      status: 413,
    });
  });
});
