import { describe, expect, it } from 'vitest';
import { createBudget, OverspentError, type Resource } from '../../shared/budget.ts';
import { errorOf } from '../support/error-of.ts';
import { testBudget, testLimits } from '../support/test-budget.ts';

describe('a budget', () => {
  it.each<[Resource, string, string]>([
    ['values', 'MAX_VALUES', 'arrays, objects and texts'],
    ['jsonNumbers', 'MAX_JSON_NUMBERS', 'numbers in JSON'],
    ['imagePixels', 'MAX_IMAGE_PIXELS', 'pixels'],
    ['textCharacters', 'MAX_TEXT_CHARACTERS', 'characters of text'],
  ])('lets all parts of a request together have as many %s as the limit says', (resource, variable, noun) => {
    const budget = testBudget({ [resource]: 10 });
    budget.spend(resource, 4, 'Field "a"');
    budget.spend(resource, 6, 'Field "b"');
    expect(budget.left(resource)).toBe(0);
    const error = errorOf(() => budget.spend(resource, 1, 'Field "c"'));
    expect(error).toBeInstanceOf(OverspentError);
    expect([error.status, error.message]).toEqual([
      413,
      `Field "c" brings the request to more than 10 ${noun}, which is the limit (${variable}).`,
    ]);
    // What was refused stays refused, in whatever parts it comes.
    expect(errorOf(() => budget.spend(resource, 0, 'Field "d"')).status).toBe(413);
  });

  it('goes on until the client has gone', () => {
    const client = new AbortController();
    const budget = createBudget(testLimits(), { signal: client.signal });
    budget.goOn();
    client.abort();
    expect(errorOf(() => budget.goOn())).toMatchObject({ code: 'CLIENT_GONE', status: 499 });
  });

  it('goes on until its time is over', () => {
    let nowMs = 5_000;
    const budget = createBudget(testLimits({ requestSeconds: 2 }), { now: () => nowMs });
    nowMs = 7_000;
    budget.goOn();
    nowMs = 7_001;
    expect(errorOf(() => budget.goOn())).toMatchObject({
      status: 413,
      message:
        'The request takes more than 2 seconds, which is the limit (MAX_REQUEST_SECONDS); send less at once.',
    });
  });
});
