import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../../../../shared/processing/text/tokenizer/compile-pattern.ts';
import { runPattern } from '../../../../../shared/processing/text/tokenizer/run-pattern.ts';

const find = (source: string, text: string) =>
  [...runPattern(compilePattern(source), text)].map(({ start, end }) => [start, end]);
const findByJavaScript = (source: string, text: string) =>
  [...text.matchAll(new RegExp(source, 'gu'))].map(({ index, 0: match }) => [index, index + match.length]);

const { pattern } = fc.letrec<{ pattern: string; part: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom('a', 'b', '[ab]', '[^a]', '\\p{L}', '\u{1f600}', '[\\s\\S]', '.'),
    },
    { weight: 2, arbitrary: tie('pattern').map((inner) => `(?:${inner})`) },
    { weight: 1, arbitrary: tie('pattern').map((inner) => `(${inner})`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('=', '!', '<=', '<!'), tie('pattern'))
        .map(([kind, inner]) => `(?${kind}${inner})`),
    },
  ),
  part: fc
    .tuple(
      tie('atom'),
      fc.oneof(
        { weight: 2, arbitrary: fc.constant('') },
        { weight: 2, arbitrary: fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '{2,3}') },
      ),
      fc.constantFrom('', '', '?'),
    )
    .map(([atom, count, lazy]) => (/^\(\?<?[=!]/.test(atom) || count === '' ? atom : atom + count + lazy)),
  pattern: fc
    .array(fc.array(tie('part'), { maxLength: 3 }), { minLength: 1, maxLength: 3 })
    .map((choices) => choices.map((parts) => parts.join('')).join('|')),
}));
const text = fc.array(fc.constantFrom('a', 'b', ' ', '\n', '\u{1f600}', '\u00e9'), { maxLength: 9 });

/** Whether a pattern is over one of the three limits, which have tests of their own: it is refused, so it finds nothing. */
function isOverLimit(source: string): boolean {
  try {
    compilePattern(source);
    return false;
  } catch (error) {
    const isLimit = /^(?:nests repetitions|has more than \d+ choices|takes more than \d+ steps)/;
    if (error instanceof SyntaxError && isLimit.test(error.message)) return true;
    throw error;
  }
}

describe('runPattern', () => {
  it('finds what JavaScript finds, for any pattern and text', () => {
    void fc.assert(
      fc.property(pattern, text, (source, characters) => {
        fc.pre(source.length < 60 && !isOverLimit(source));
        // V8 lets a look stand between the halves of a surrogate pair, where no character begins.
        const whole = characters
          .join('')
          .replaceAll('\u{1f600}', /\(\?<?[=!]/.test(source) ? '\u00e9' : '\u{1f600}');
        expect(find(source, whole)).toEqual(findByJavaScript(source, whole));
      }),
      { numRuns: 10_000 },
    );
  });

  it.each([
    ['(?:(?:a|)+|b)+', 'aab ba'],
    ['(?:c?)+', 'aca'],
    ['(?:a*)*b?', 'aaabaa'],
    ['(?=(a*)*b)a', 'aaab aa'],
    ['(?<=(?:a|ab)+)b', 'ababb'],
    ['\\ud83d\\ude00+|\\u{e9}|\\x61', 'a\u{1f600}\u{1f600}\u00e9'],
    ['(?<=\u{1f600})b', '\u{1f600}b b'],
    ['a{2,}?', 'aaaaa'],
    ['', 'a\u{1f600}'],
  ])('finds what JavaScript finds: %s', (source, whole) => {
    expect(find(source, whole)).toEqual(findByJavaScript(source, whole));
  });

  it.each(['(a)\\1', '\\bx', '^a', 'a$', '(?i:a)', '(?<n>a)\\k<n>', 'a**', '(a', 'a)', '[a', '\\u', 'a{3'])(
    'is not made of what it does not know: %s',
    (source) => {
      expect(() => compilePattern(source)).toThrow(SyntaxError);
    },
  );

  it.each([
    ['a{5001}', 'takes more than 5000 steps'],
    ['(?:(?:(?:a{99}){99}){99}){99}', 'takes more than 5000 steps'],
    ['(?:a?){513}', 'has more than 512 choices'],
    ['(?:(?:(?:|a*){2,3}|){2,3}|){2,3}', 'has more than 512 choices'],
    ['(?:(?:(?:(?:a?)*b?)*c?)*d?)*', 'nests repetitions that can be empty too deeply'],
  ])('is not made of what takes too many steps: %s', (source, message) => {
    expect(() => compilePattern(source)).toThrow(message);
  });
});
