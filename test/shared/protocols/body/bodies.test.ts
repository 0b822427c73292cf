import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../shared/config.ts';
import { holdsJson, unsupportedBody } from '../../../../shared/protocols/body/json-body.ts';
import type { ModelContract } from '../../../../shared/values/contract.ts';
import { tableOfColumns, tableOfRecords, tableOfSplit } from '../../../../shared/values/table.ts';
import { rowsOfTable } from '../../../../shared/values/table-rows.ts';
import { errorOf } from '../../../support/error-of.ts';

const body = (text: string) => new TextEncoder().encode(text);

describe('a body', () => {
  it.each([
    ['application/json', 'x', true],
    ['application/cloudevents+json', '1', true],
    ['', ' [1]', true],
    ['', '\ufeff{"a": 1}', true],
    ['application/x-www-form-urlencoded', '{}', true],
    ['text/plain', 'text', false],
    ['text/csv', '[1]', false],
    ['image/png', '{', false],
  ])('of type "%s" that begins with %j is JSON: %s', (mediaType, text, expected) => {
    expect(holdsJson({ mediaType, body: body(text) })).toBe(expected);
  });

  it('of another type is named in the error', () => {
    expect(unsupportedBody('text/csv', 'images')).toMatchObject({
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message: 'Content-Type "text/csv" is not accepted; accepted types are images.',
    });
    expect(unsupportedBody('', 'images').message).toMatch(/^A body that is neither JSON nor an image/);
  });
});

describe('the rows of a table', () => {
  const { limits } = parseConfig({ MAX_BATCH_SIZE: '2' });
  const contract: ModelContract = {
    task: 'tabular-classification',
    kind: 'features',
    gives: 'classification',
    inputs: [],
    features: ['a', 'b'],
    imageInput: undefined,
    answering: () => ({ form: 'objects', isStated: false }),
    maps: new Map(),
    flavour: undefined,
  };

  it('have the order of the features, with numbers for texts that are numbers', () => {
    const table = tableOfColumns({ c: [0, 0], b: ['-1.5e1', ' 2 '], a: ['red', ''] }, 'table', true);
    expect(rowsOfTable(table, contract, limits)).toEqual([
      { value: ['red', -15], field: 'table[0]' },
      { value: ['', 2], field: 'table[1]' },
    ]);
  });

  it.each([
    ['the model', tableOfColumns({ x: [1], y: ['2'] }, 't'), { ...contract, features: undefined }],
    ['the table', tableOfSplit({ columns: [0, 1], data: [[1, '2']] }, 't'), contract],
  ])(
    'go by order where %s has no names, and texts stay texts where the model takes texts',
    (_, table, given) => {
      expect(rowsOfTable(table, given, limits)).toEqual([{ value: [1, '2'], field: 't[0]' }]);
    },
  );

  it('must all have the columns of the first one if these go by order', () => {
    const rows = [{ x: 1 }, { x: 2, y: 3 }];
    const unnamed = { ...contract, features: undefined };
    expect(errorOf(() => rowsOfTable(tableOfRecords(rows, 't'), unnamed, limits)).message).toBe(
      'Field "t[1]" has the column "y", which the first row lacks.',
    );
    const named = tableOfRecords(
      [
        { a: 1, b: 2 },
        { a: 3, b: 4, y: 5 },
      ],
      't',
    );
    expect(rowsOfTable(named, contract, limits).map(({ value }) => value)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('need each feature, and must not be too many', () => {
    const lacking = tableOfColumns({ a: [1] }, 'table');
    expect(errorOf(() => rowsOfTable(lacking, contract, limits)).message).toBe(
      'Field "table" has no column "b"; its columns are "a".',
    );
    const long = tableOfColumns({ a: [1, 2, 3], b: [1, 2, 3] }, 'table');
    expect(errorOf(() => rowsOfTable(long, contract, limits)).code).toBe('PAYLOAD_TOO_LARGE');
  });
});
