import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  createBudget,
  OverspentError,
  type Resource,
  waitInTime,
  withDeadline,
} from '../../shared/budget.ts';
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
    // What was refused stays refused, also in parts.
    expect(errorOf(() => budget.spend(resource, 0, 'Field "d"')).status).toBe(413);
  });

  it('lets work continue until the client has gone', () => {
    const client = new AbortController();
    const budget = createBudget(testLimits(), { signal: client.signal });
    budget.goOn();
    client.abort();
    expect(errorOf(() => budget.goOn())).toMatchObject({ code: 'CLIENT_GONE', status: 499 });
  });

  it('lets work continue until its time is over', () => {
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

  it('knows how long an answer is of use', () => {
    let nowMs = 5_000;
    const now = () => nowMs;
    const endless = createBudget(testLimits(), { now });
    const budget = createBudget(testLimits(), { now, deadlineMs: 6_000 });
    nowMs = 5_400;
    expect(endless.leftMs()).toBe(Number.POSITIVE_INFINITY);
    expect(budget.leftMs()).toBe(600);
    expect(withDeadline(budget, 5_500, now).leftMs()).toBe(100);
    expect(withDeadline(budget, 7_000, now).leftMs()).toBe(600);
    expect(withDeadline(endless, 7_000, now).leftMs()).toBe(1_600);
  });

  it('waits for work as long as an answer is of use, be that longer than a timer of Node', async () => {
    const late = () => new Error('too late');
    const never = new Promise<string>(() => undefined);
    const waitFor = (leftMs: number, work: Promise<string>) => {
      const budget = createBudget(testLimits(), { deadlineMs: performance.now() + leftMs });
      return waitInTime(work, () => budget.leftMs(), late);
    };
    await expect(waitFor(20, never)).rejects.toThrow('too late');
    expect(await waitFor(0, Promise.resolve('there already'))).toBe('there already');
    const soon = wait(20).then(() => 'soon');
    expect(await waitFor(2 ** 33, soon)).toBe('soon');
  });
});
