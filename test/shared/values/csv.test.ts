import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import {
  holdsNames,
  quoteCell,
  readCsv,
  readCsvParameters,
  readFirstRow,
  tableOfCells,
  writeCsvRows,
} from '../../../shared/values/csv.ts';
import { errorOf, rejectionOf } from '../../support/error-of.ts';
import { contract, spec } from '../../support/make-contract.ts';
import { testLimits } from '../../support/test-budget.ts';

/** All rows at once. */
async function parseCsv(text: string) {
  const rows = readCsv(Buffer.from(text), testLimits());
  return rows.slice(0, rows.count);
}

const parametersOf = (type: string) => readCsvParameters(new Headers({ 'content-type': type }));

describe('the type of a table', () => {
  it.each([
    ['text/csv', { header: undefined, labels: 0 }],
    ['text/csv; label_size=0', { header: undefined, labels: 0 }],
    ['text/csv;label_size=2;header=absent', { header: 'absent', labels: 2 }],
    ['TEXT/CSV ; Header="Present"', { header: 'present', labels: 0 }],
    ['text/csv; charset=utf-8', { header: undefined, labels: 0 }],
  ])('%s says %j', (type, parameters) => {
    expect(parametersOf(type)).toEqual(parameters);
  });

  it.each([
    ['text/csv; header=yes', 'The Content-Type has header=yes; expected "present" or "absent".'],
    ['text/csv; label_size=-1', 'The Content-Type has label_size=-1; expected a number of columns.'],
  ])('%s is refused', (type, message) => {
    expect(errorOf(() => parametersOf(type)).message).toBe(message);
  });
});

const QUOTE_OUT_OF_PLACE = 'The CSV body has a quote out of place.';

describe('CSV', () => {
  it.each([
    [
      '1,2\n3,4',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      '1,2\r\n3,4\r\n',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['1\r2\n3\r\n4', [['1'], ['2'], ['3'], ['4']]],
    ['\ufeffa,b', [['a', 'b']]],
    ['\ufeff"a",b', [['a', 'b']]],
    ['\n1\n\n2\n\n', [['1'], ['2']]],
    ['"1"\n\n"2"\r\n', [['1'], ['2']]],
    ['1,,\n', [['1', '', '']]],
    ['1,2\n3', [['1', '2'], ['3']]],
    ['"1",2\n3', [['1', '2'], ['3']]],
    ['"a,b","say ""x""","two\nlines"', [['a,b', 'say "x"', 'two\nlines']]],
    ['', []],
  ])('%j holds its rows', async (text, rows) => {
    expect(await parseCsv(text)).toEqual(rows);
  });

  it.each([['1,2\n"3'], ['"a"b,1'], ['1,2\na"b,1']])('%j has a quote out of place', async (text) => {
    expect(await rejectionOf(parseCsv(text))).toMatchObject({
      code: 'BAD_REQUEST',
      message: QUOTE_OUT_OF_PLACE,
    });
  });

  it('with a quote out of place has a row on every line, some of which can be read', async () => {
    const rows = readCsv(Buffer.from('"a",1\n"b"x,2\n\n"c,3\n4,"5"\n6'), testLimits());
    expect(rows.count).toBe(5);
    expect(rows.slice(0, 1)).toEqual([['a', '1']]);
    expect(rows.slice(3, 5)).toEqual([['4', '5'], ['6']]);
    for (const [start, end] of [
      [1, 2],
      [2, 3],
      [1, 3],
      [0, 5],
    ] as const) {
      expect(errorOf(() => rows.slice(start, end)).message).toBe(QUOTE_OUT_OF_PLACE);
    }
  });

  it('has no more cells in a row than any model takes', async () => {
    expect((await parseCsv(','.repeat(999_999)))[0]).toHaveLength(1_000_000);
    for (const text of [',', '"",']) {
      expect((await rejectionOf(parseCsv(text.repeat(1_000_000)))).message).toBe(
        'A row of the table has more than 1000000 cells, which is the limit.',
      );
    }
  });

  it('reads the same with quotes around cells as without', async () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 5 }).filter((text) => !/[",\r\n\ufeff]/.test(text));
    const rows = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(rows, async (table) => {
        const write = (quote: string) =>
          table.map((cells) => cells.map((text) => `${quote}${text}${quote}`).join(',')).join('\n');
        expect(await parseCsv(write('"'))).toEqual(table);
        expect(await parseCsv(write(''))).toEqual(table);
      }),
    );
  });

  it('reads any text as the parser of a library reads it whole', async () => {
    const text = fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r\n', '\r', 'a', ' '), maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(text, async (csv) => {
        let expected: string[][] | 'misquoted';
        try {
          expected = parse(csv, {
            relax_column_count: true,
            skip_empty_lines: true,
            record_delimiter: ['\r\n', '\n', '\r'],
          });
        } catch {
          expected = 'misquoted';
        }
        const rows = await parseCsv(csv).catch(() => 'misquoted');
        expect(rows).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['1,2\n', '"1",2\n', '\n1\r\n'])(
    'refuses more rows than the limit before it makes any: %j',
    async (row) => {
      const limits = testLimits({ lines: 3 });
      expect(readCsv(Buffer.from(row.repeat(3)), limits).count).toBe(3);
      expect(errorOf(() => readCsv(Buffer.from(row.repeat(4)), limits))).toMatchObject({
        status: 413,
        message: 'The body has more than 3 lines, which is the limit (MAX_LINES); send fewer at once.',
      });
    },
  );

  it('looks at each line break within quotes once, however many there are', () => {
    const breaks = '\n\r'.repeat(500_000);
    const rows = readCsv(Buffer.from(`"${breaks}",1\n\n2,"${breaks}"\r\n`), testLimits());
    expect(rows.slice(0, rows.count)).toEqual([
      [breaks, '1'],
      ['2', breaks],
    ]);
  });

  it('refuses more quotes within cells than there may be values', () => {
    const limits = testLimits({ values: 3 });
    const read = (quotes: number) => readCsv(Buffer.from(`1,"${'""'.repeat(quotes)}"`), limits).slice(0, 1);
    expect(read(3)).toEqual([['1', '"""']]);
    expect(errorOf(() => read(4)).message).toBe(
      'The table has more than 3 quotes within its cells, which is the limit (MAX_VALUES).',
    );
  });

  it('returns the cells that were quoted for it', async () => {
    const table = fc.array(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ') }), {
      minLength: 2,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(table, async (cells) => {
        expect(await parseCsv(`${cells.map(quoteCell).join(',')}\n"x"`)).toEqual([cells, ['x']]);
      }),
    );
  });

  it('shows its first row, with any rows below it', async () => {
    expect(readFirstRow(Buffer.from('\ufeff\r\n"a,b",c\n"'), testLimits())).toEqual(['a,b', 'c']);
    expect(readFirstRow(Buffer.from('"a'), testLimits())).toEqual([]);
    expect(readFirstRow(Buffer.from(''), testLimits())).toEqual([]);
  });
});

describe('the names of columns', () => {
  const inputs = [spec('x', 'FP32', [-1, 2])];

  it('are those of the features where there are any, or else of the inputs', () => {
    expect(holdsNames(['b', 'other', 'a'], contract(inputs, { features: ['a', 'b'] }))).toBe(true);
    expect(holdsNames(['x'], contract(inputs, { features: ['a', 'b'] }))).toBe(false);
    expect(holdsNames(['x'], contract(inputs))).toBe(true);
    expect(holdsNames(['y'], contract(inputs))).toBe(false);
  });
});

describe('a table of cells', () => {
  it('turns rows into columns', () => {
    expect(
      tableOfCells(
        ['a', 'b'],
        [
          ['1', '2'],
          ['3', '4'],
        ],
        'body',
      ),
    ).toEqual({
      names: ['a', 'b'],
      columns: [
        ['1', '3'],
        ['2', '4'],
      ],
      field: 'body',
      isText: true,
    });
  });

  it('has rows of one length', () => {
    expect(errorOf(() => tableOfCells(undefined, [['1', '2'], ['3']], 'body')).message).toBe(
      'Field "body[1]" has 1 cells; expected 2.',
    );
    expect(errorOf(() => tableOfCells(['a'], [['1', '2']], 'line 7')).message).toBe(
      'Field "line 7" has 2 cells; expected 1.',
    );
  });
});

describe('outputs as CSV', () => {
  it('stand side by side, one row per instance, with quotes where they need them', () => {
    const labels: Tensor = { datatype: 'BYTES', shape: [2], data: ['a,b', 'say "x"'] };
    const outputs = new Map([
      ['label', labels],
      ['scores', createTensor('FP32', [2, 1, 2], [0.1, Number.NaN, 1, Infinity])],
      ['id', createTensor('INT64', [2], [1, 2])],
    ]);
    expect(writeCsvRows(outputs, 2, Number.POSITIVE_INFINITY)).toEqual([
      '"a,b",0.1,NaN,1',
      '"say ""x""",1,Infinity,2',
    ]);
  });
});
