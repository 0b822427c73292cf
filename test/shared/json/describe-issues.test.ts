import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { describeIssues, placeOfSyntaxError } from '../../../shared/json/describe-issues.ts';

const step = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('resize'), width: z.number().int().min(1).max(9) }),
  z.strictObject({ step: z.literal('layout'), layout: z.enum(['NCHW', 'NHWC']) }),
]);
const schema = z.strictObject({
  steps: z.array(step).min(1),
  names: z.record(z.string(), z.number()).optional(),
  side: z
    .string()
    .refine((side) => side === 'left', 'must be left')
    .optional(),
});

describe('describeIssues', () => {
  it.each<[unknown, string]>([
    [[], 'the file: an array of 0; expected an object'],
    [{}, 'steps: missing; expected an array'],
    [{ steps: [] }, 'steps: an array of 0; expected at least 1 items'],
    [{ steps: ['resize'] }, 'steps.0: the string "resize"; expected an object'],
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
    [{ steps: [{ step: 'resize', width: 1 }], names: 5 }, 'names: the number 5; expected an object'],
    [{ steps: [{ step: 'resize', width: 1 }], side: 'right' }, 'side: must be left'],
  ])('tells of %j', (value, text) => {
    const { error } = schema.safeParse(value);
    expect(error && describeIssues(error, value)).toBe(text);
  });
});

describe('placeOfSyntaxError', () => {
  it('tells where JSON breaks, and nothing of what it says', () => {
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
