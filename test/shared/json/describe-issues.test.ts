import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { checkJson } from '../../../shared/json/describe-issues.ts';
import { placeOfSyntaxError } from '../../../shared/json/json-file.ts';

const step = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('resize'), width: z.int().check(z.minimum(1), z.maximum(9)) }),
  z.strictObject({ step: z.literal('layout'), layout: z.enum(['NCHW', 'NHWC']) }),
]);
const schema = z.strictObject({
  steps: z.array(step).check(z.minLength(1)),
  names: z.optional(z.record(z.string(), z.number())),
  side: z.optional(z.string().check(z.refine((side) => side === 'left', 'must be left'))),
});

describe('checkJson', () => {
  it.each<[unknown, string]>([
    [[], 'the file: an array of 0; expected an object'],
    [{}, 'steps: missing; expected an array'],
    [{ steps: [] }, 'steps: an array of 0; expected at least 1 item'],
    [{ steps: ['resize'] }, 'steps.0: the string "resize"; expected an object, such as {"step":"resize"}'],
    [{ steps: [1] }, 'steps.0: the number 1; expected an object'],
    [{ steps: [{}] }, 'steps.0.step: missing; expected one of "resize", "layout"'],
    [{ steps: [{ step: 'r' }] }, 'steps.0.step: the string "r"; expected one of "resize", "layout"'],
    [
      { steps: [{ step: 'layout', layout: 'nchw' }] },
      'steps.0.layout: the string "nchw"; expected one of "NCHW", "NHWC"',
    ],
    [{ steps: [{ step: 'resize', width: 0 }] }, 'steps.0.width: the number 0; expected at least 1'],
    [{ steps: [{ step: 'resize', width: 10 }] }, 'steps.0.width: the number 10; expected at most 9'],
    [
      { steps: [{ step: 'resize', width: 1, a: 1, b: 2 }], c: 3 },
      'steps.0: unknown members "a", "b"; the file: unknown member "c"',
    ],
    [
      { steps: [], ...Object.fromEntries(Array.from('abcdefghij', (name) => [name, 0])) },
      'steps: an array of 0; expected at least 1 item; the file: unknown members "a", "b", "c", "d", "e", "f", "g", "h" and 2 more',
    ],
    [
      { steps: [{ step: 'resize', width: 1 }], ['x'.repeat(200)]: 0 },
      `the file: unknown member "${'x'.repeat(100)}"`,
    ],
    [{ steps: [{ step: 'resize', width: 1 }], names: 5 }, 'names: the number 5; expected an object'],
    [{ steps: [{ step: 'resize', width: 1 }], side: 'right' }, 'side: must be left'],
  ])('describes the issues of %j', (value, text) => {
    expect(checkJson(schema, value)).toEqual({ success: false, issues: text });
  });
});

describe('checkJson of one schema', () => {
  const name = z.string().check(z.regex(/^[a-z]+$/, 'must be of small letters'));
  const size = z.union([z.number(), z.tuple([z.number(), z.number()]), z.strictObject({ side: z.number() })]);
  const coded = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal(1) }),
    z.object({ kind: z.literal(true) }),
    z.object({ kind: z.literal("it's") }),
  ]);

  it.each<[z.ZodMiniType, unknown, string]>([
    [z.int(), 1.5, 'the number 1.5; expected a whole number'],
    [z.int(), null, 'null; expected a number'],
    [z.number(), Number.NaN, 'the number NaN; expected a number'],
    [z.number().check(z.positive()), 0, 'the number 0; expected more than 0'],
    [z.number().check(z.lt(5)), 5, 'the number 5; expected less than 5'],
    [z.number().check(z.multipleOf(4)), 5, 'the number 5; expected a multiple of 4'],
    [z.string().check(z.minLength(1)), '', 'the string ""; expected at least 1 character'],
    [z.string().check(z.maxLength(2)), 'abc', 'the string "abc"; expected at most 2 characters'],
    [z.string().check(z.length(2)), 'abc', 'the string "abc"; expected exactly 2 characters'],
    [z.array(z.number()).check(z.length(2)), [1], 'an array of 1; expected exactly 2 items'],
    [z.tuple([z.number(), z.number()]), [1], 'an array of 1; expected at least 2 items'],
    [z.tuple([z.number()]), [1, 2], 'an array of 2; expected at most 1 item'],
    [z.literal('a'), 'b', 'the string "b"; expected "a"'],
    [z.literal(false, 'cannot be done here'), true, 'cannot be done here'],
    [z.string().check(z.regex(/^a$/)), 'b', 'the string "b"; expected a string that matches /^a$/'],
    [z.iso.date(), 'b', 'the string "b"; expected a string of the format date'],
    [z.email(), 'b', 'the string "b"; expected a string of the format email'],
    [z.custom(() => false), 1, 'the number 1; expected something else'],
    [z.null(), 1, 'the number 1; expected null'],
    [z.union([z.string(), z.int()]), true, 'the boolean true; expected a string or a number'],
    [z.union([z.literal(1), z.literal('a')]), 2, 'the number 2; expected 1 or "a"'],
    [size, 'big', 'the string "big"; expected a number or an array or an object'],
    [size, [1, 'a'], 'an array of 2; at 1 the string "a"; expected a number'],
    [size, {}, 'an object with no keys; at side missing; expected a number'],
    [z.union([z.string(), z.null()], 'must be text'), 1, 'must be text'],
    [coded, { kind: 'x' }, 'the string "x"; expected one of 1, true, "it\'s"'],
    [coded, {}, 'missing; expected one of 1, true, "it\'s"'],
    [z.record(name, z.number()), { 'A b': 1 }, 'its name must be of small letters'],
    [z.record(z.string(), z.number()), { a: 'b' }, 'the string "b"; expected a number'],
    [z.strictObject({}), { Invalid: 1 }, 'unknown member "Invalid"'],
    [z.string('Invalid, or too short'), 1, 'Invalid, or too short'],
  ])('%#: says what is wrong with the value', (schema, value, text) => {
    const checked = checkJson(z.object({ at: schema }), { at: value });
    const issues = checked.success ? undefined : checked.issues;
    expect(issues?.replace(/^at(?:\.[^:]*)?: /, '')).toBe(text);
  });

  it('gives the value that fits', () => {
    expect(checkJson(z.object({ a: z._default(z.number(), 3) }), {})).toEqual({
      success: true,
      data: { a: 3 },
    });
  });
});

describe('placeOfSyntaxError', () => {
  it('says where JSON is broken, and nothing of its content', () => {
    const placeIn = (text: string) => {
      try {
        return JSON.parse(text);
      } catch (error) {
        return placeOfSyntaxError(error);
      }
    };
    expect(placeIn('{\n  "secret": 1,\n}')).toBe(' at line 3, column 1');
    expect(placeIn('{"a": ')).toBe('');
    expect(placeOfSyntaxError('no error')).toBe('');
  });
});
