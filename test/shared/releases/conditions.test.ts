import { evalCondition } from '@growthbook/growthbook';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Condition, compileCondition, problemOf } from '../../../shared/releases/conditions.ts';
import { factsOf } from './facts.ts';

const meets = (when: Condition, request: Parameters<typeof factsOf>[0]) =>
  compileCondition(when)(factsOf(request));

const HEADERS = { 'x-country': 'CH', 'x-version': '1.9.0', 'x-empty': '', cookie: 'plan=gold; other=1' };
const BODY = {
  age: 42,
  isMember: true,
  none: null,
  customer: { country: 'CH', tags: ['a', 'b'], orders: [{ total: 5 }, { total: 50 }] },
  instances: [[1, 2, 3]],
};

describe('a condition', () => {
  it.each<readonly [Condition, boolean]>([
    [{}, true],
    [{ 'header.x-country': 'CH' }, true],
    [{ 'header.X-Country': 'CH' }, true],
    [{ 'header.x-country': 'DE' }, false],
    [{ 'header.x-country': { $in: ['DE', 'CH'] } }, true],
    [{ 'header.x-country': { $nin: ['DE', 'CH'] } }, false],
    [{ 'header.x-country': { $ini: ['ch'] } }, true],
    [{ 'header.x-country': { $regex: '^(CH|AT)$' } }, true],
    [{ 'header.x-country': { $regexi: '^c' } }, true],
    [{ 'header.x-version': { $vgt: '1.10.0' } }, false],
    [{ 'header.x-version': { $vgte: '1.9' } }, true],
    [{ 'header.x-missing': { $exists: false } }, true],
    [{ 'cookie.plan': 'gold', 'cookie.other': { $gt: 0 } }, true],
    [{ 'cookie.pla': { $exists: true } }, false],
    [{ 'field.age': { $gte: 18, $lt: 65 } }, true],
    [{ 'field.age': 42 }, true],
    [{ 'field.isMember': true }, true],
    [{ 'field.none': null }, true],
    [{ 'field.customer.country': 'CH' }, true],
    [{ 'field.customer.tags': { $elemMatch: { $eq: 'b' } } }, true],
    [{ 'field.customer.tags': { $all: ['a', 'c'] } }, false],
    [{ 'field.customer.tags': { $size: 2 } }, true],
    [{ 'field.customer.orders': { $elemMatch: { total: { $gt: 20 } } } }, true],
    [{ 'field.instances.0.1': 2 }, true],
    [{ 'field.instances.0.length': { $exists: true } }, false],
    [{ 'field.constructor.name': { $exists: true } }, false],
    [{ 'field.__proto__': { $exists: true } }, false],
    [{ $or: [{ 'field.age': { $lt: 18 } }, { 'header.x-country': 'CH' }] }, true],
    [{ $and: [{ 'field.age': { $lt: 18 } }, { 'header.x-country': 'CH' }] }, false],
    [{ $nor: [{ 'field.age': { $lt: 18 } }] }, true],
    [{ $not: { 'header.x-country': 'CH' } }, false],
    // What `field.customer` is does not hide what is in it.
    [{ 'field.customer': { $type: 'object' }, 'field.customer.country': 'CH' }, true],
  ])('%j is %s', (when, expected) => {
    expect(problemOf(when)).toBeUndefined();
    expect(meets(when, { headers: HEADERS, body: BODY })).toBe(expected);
  });

  it('has the answer of GrowthBook for the same attributes', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.integer()),
    );
    const operator = fc.constantFrom('$eq', '$ne', '$lt', '$lte', '$gt', '$gte', '$veq', '$vlt');
    const compared = fc.oneof(
      value,
      fc.dictionary(operator, fc.oneof(fc.string(), fc.integer()), { minKeys: 1 }),
    );
    fc.assert(
      fc.property(value, compared, (given, expected) => {
        const ours = meets({ 'field.a': expected }, { body: { a: given } });
        expect(ours).toBe(evalCondition({ a: given }, { a: expected }));
      }),
      { numRuns: 1000 },
    );
  });

  it('sees the first 256 characters of a text, and no list as a text', () => {
    const when = { 'field.a': { $regex: 'b$' } };
    expect(meets(when, { body: { a: `${'a'.repeat(255)}b` } })).toBe(true);
    expect(meets(when, { body: { a: `${'a'.repeat(256)}b` } })).toBe(false);
    expect(meets(when, { body: { a: ['b'] } })).toBe(false);
  });
});

describe('what is wrong with a condition', () => {
  it.each<readonly [Condition, string]>([
    [
      { country: 'CH' },
      '"country" is unknown; expected header.<name>, cookie.<name>, field.<path> or one of $and, $or, $nor, $not',
    ],
    [
      { 'constructor.name': 'a' },
      '"constructor.name" is unknown; expected header.<name>, cookie.<name>, field.<path> or one of $and, $or, $nor, $not',
    ],
    [
      { 'field.': 1 },
      '"field." is unknown; expected header.<name>, cookie.<name>, field.<path> or one of $and, $or, $nor, $not',
    ],
    [
      { $savedGroup: { id: 'a' } },
      '"$savedGroup" is unknown; expected header.<name>, cookie.<name>, field.<path> or one of $and, $or, $nor, $not',
    ],
    [{ $and: { 'field.a': 1 } }, '$and needs a list of conditions'],
    [{ $or: [1] }, 'a condition must be an object'],
    [{ 'field.a': { $regex: 1 } }, '$regex needs a text'],
    [{ 'field.a': { $regex: '(a+)+b' } }, 'its pattern "(a+)+b" repeats a group'],
    [{ 'field.a': { $not: { $regex: '(a|aa)*b' } } }, 'its pattern "(a|aa)*b" repeats a group'],
    [{ 'field.a': { $regex: 'a*a*a*b' } }, 'its pattern "a*a*a*b" has more than 2 repetitions'],
    [{ 'field.a': { $regex: 'a?a?a?a' } }, 'its pattern "a?a?a?a" has more than 2 repetitions'],
    [{ 'field.a': { $regex: '(a|a)(a|a)(a|a)b' } }, 'its pattern "(a|a)(a|a)(a|a)b" has more than 2 groups'],
    [{ 'field.a': { $regex: '(a)\\1' } }, 'its pattern "(a)\\\\1" looks back or ahead'],
    [{ 'field.a': { $regex: '(?=a)' } }, 'its pattern "(?=a)" looks back or ahead'],
    [{ 'field.a': { $regex: '[' } }, 'its pattern "[" is not a regular expression'],
    [{ 'field.a': { $regex: 'a'.repeat(201) } }, 'its pattern is longer than 200 characters'],
    [{ 'field.a': { $elemMatch: { $regex: 'a' } } }, '$regex cannot be used on elements of lists'],
    [{ 'field.a': { $elemMatch: { b: { $regex: 'a' } } } }, '$regex cannot be used on elements of lists'],
    [
      { 'field.a': JSON.parse(`${'{"$not":'.repeat(12)}1${'}'.repeat(12)}`) },
      'it is more than 10 levels deep',
    ],
  ])('%j: %s', (when, problem) => {
    expect(problemOf(when)).toBe(problem);
  });

  it.each(['$inGroup', '$notInGroup', '$where'])('the operator %s', (operator) => {
    expect(problemOf({ 'field.a': { [operator]: 'a' } })).toMatch(
      new RegExp(`^the operator \\${operator} is unknown; expected one of \\$eq, `),
    );
  });

  it.each(['^(DE|AT|CH)$', '\\d{4}-\\d{2}', '[*+]', '^.*Mobile.*$', '\\(x\\)?', '(?:a|b)c', '\\.?a+'])(
    'allows the pattern %s',
    (pattern) => {
      expect(problemOf({ 'field.a': { $regex: pattern } })).toBeUndefined();
    },
  );
});
