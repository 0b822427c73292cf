import { describe, expect, it } from 'vitest';
import { readStringAt } from '../../../shared/json/string-at.ts';

describe('readStringAt', () => {
  it.each([
    ['""', 0, '', 2],
    ['["a", "b"]', 6, 'b', 9],
    ['"a\\"b"c', 0, 'a"b', 6],
    ['"a\\\\"b"', 0, 'a\\', 5],
    ['"\\u00e9\\n"', 0, 'é\n', 10],
    ['x"open', 1, undefined, 6],
    ['"open\\"', 0, undefined, 7],
    [' "\\x" ', 1, undefined, 1],
    ['"\n"', 0, undefined, 0],
    // The longest that is copied as it stands, and the shortest that is not.
    ['"abcdefghijkl"', 0, 'abcdefghijkl', 14],
    ['"abcdefghijklm"', 0, 'abcdefghijklm', 15],
    ['"abcdefghijk\\t"', 0, 'abcdefghijk\t', 15],
    ['"abc\u001f"', 0, undefined, 0],
    ['"abcdefghijkl\u001f"', 0, undefined, 0],
    ['"abc', 0, undefined, 4],
    ['"', 0, undefined, 1],
  ])('reads out of %j at %i %j, up to %i', (text, start, value, end) => {
    expect(readStringAt(text, start)).toEqual({ value, end });
  });
});
