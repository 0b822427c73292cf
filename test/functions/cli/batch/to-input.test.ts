import { describe, expect, it } from 'vitest';
import { Cells } from '../../../../functions/cli/batch/row-source.ts';
import { toInput } from '../../../../functions/cli/batch/to-input.ts';
import { errorOf } from '../../../support/error-of.ts';

const column = { type: 'string' } as const;

describe('rows for a text model', () => {
  it('are pairs if a table has two columns of texts', () => {
    const rows = [{ row: 2, value: new Cells(['one', '7', 'other']) }];
    const columns = [
      { index: 2, column },
      { index: 0, column },
    ];
    expect(toInput(rows, 'text', columns)).toEqual({
      kind: 'text',
      texts: [{ value: { text: 'other', pair: 'one' }, field: 'row 2' }],
    });
    expect(toInput(rows, 'text', columns.slice(0, 1))).toMatchObject({ texts: [{ value: 'other' }] });
  });

  it('are texts, or objects with one or two of them, in lines of JSON', () => {
    const values = ['a', { text: 'a' }, { text: 'a', text_pair: 'b' }];
    const rows = values.map((value, index) => ({ row: index + 1, value }));
    expect(toInput(rows, 'text', undefined)).toMatchObject({
      texts: [{ value: 'a' }, { value: 'a' }, { value: { text: 'a', pair: 'b' } }],
    });
  });

  it.each([
    [{ text: 5 }],
    [{ text: 'a', text_pair: 5 }],
    [{ text: 'a', title: 'b' }],
    [{ text_pair: 'b' }],
    [{}],
  ])('%j is refused', (value) => {
    const error = errorOf(() => toInput([{ row: 3, value }], 'text', undefined));
    expect(error.message).toBe('row 3 holds no text; expected {"text": "…"}.');
  });
});
