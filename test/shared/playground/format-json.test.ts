import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatJson } from '../../../shared/playground/format-json.ts';

describe('formatJson', () => {
  it('keeps short values on one line', () => {
    expect(formatJson('{"a":[1,2,{"b":null}],"c":{}, "d":[]}')).toBe(
      '{"a": [1, 2, {"b": null}], "c": {}, "d": []}',
    );
    expect(formatJson(' 1 ')).toBe('1');
    expect(formatJson('"text, with [brackets]: \\"x\\""')).toBe('"text, with [brackets]: \\"x\\""');
  });

  it('breaks long ones, and fills the lines of plain lists', () => {
    const numbers = Array.from({ length: 40 }, (_, index) => index);
    expect(formatJson(JSON.stringify({ name: 'x'.repeat(60), numbers }))).toBe(
      [
        '{',
        `  "name": "${'x'.repeat(60)}",`,
        '  "numbers": [',
        '    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,',
        '    21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,',
        '    39',
        '  ]',
        '}',
      ].join('\n'),
    );
  });

  it('indents all lines but the first for code around it', () => {
    expect(formatJson(`["${'a'.repeat(50)}","${'b'.repeat(50)}"]`, { indent: 4 })).toBe(
      `[\n      "${'a'.repeat(50)}",\n      "${'b'.repeat(50)}"\n    ]`,
    );
  });

  it('changes no digit of a number', () => {
    const text = '[12345678901234567890, 1.10, 1E+2, -0, 1e400]';
    expect(formatJson(text)).toBe(text);
  });

  it('writes the words of another language, but not inside of strings', () => {
    const words = { true: 'True', null: 'None' };
    expect(formatJson('[true, false, null, "true", {"null": null}]', { words })).toBe(
      '[True, false, None, "true", {"null": None}]',
    );
  });

  it('leaves text that is not JSON as it is', () => {
    for (const text of ['', '{', '{"a":}', 'abc', '[1,,2]']) expect(formatJson(text)).toBe(text);
  });

  it('keeps the value of any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(JSON.parse(formatJson(text)))).toBe(text);
      }),
    );
  });
});
