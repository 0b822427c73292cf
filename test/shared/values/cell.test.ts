import { describe, expect, it } from 'vitest';
import { canBeName } from '../../../shared/values/cell.ts';

describe('a cell', () => {
  it.each(['a', ' x ', '1a', '0x', '--1', 'not', 'nanos', 'truth'])('%j can be a name', (cell) => {
    expect(canBeName(cell)).toBe(true);
  });

  it.each([
    ...['', ' ', '1', '-1.5e3', 'NaN', 'inf', '-Infinity', ' 2 ', '0x10'],
    ...['NA', ' n/a ', 'NULL', 'None', '#N/A', '<NA>', 'true', 'FALSE'],
  ])('%j is a value', (cell) => {
    expect(canBeName(cell)).toBe(false);
  });
});
