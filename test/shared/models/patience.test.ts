import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createBudget } from '../../../shared/budget.ts';
import { createPatience } from '../../../shared/models/patience.ts';
import { testLimits } from '../../support/test-budget.ts';

const NEVER = new Promise<never>(() => undefined);

describe('the patience of a request', () => {
  /** The clock of the machine, which continues while timers wait for their turn. */
  let nowMs = 0;
  beforeEach(() => {
    nowMs = 5_000;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
      vi.restoreAllMocks();
    });
  });

  /** The error of a request whose timer fires late. */
  async function giveUp(leftMs: number, silenceMs: number, lateMs: number): Promise<unknown> {
    const budget = createBudget(testLimits(), { deadlineMs: nowMs + leftMs });
    const patience = createPatience({ url: 's3://models', silenceMs, heardMs: () => 0 }, budget);
    const error = patience.wait(NEVER).catch((thrown: unknown) => thrown);
    const firstMs = Math.max(0, Math.min(leftMs, silenceMs));
    nowMs += firstMs + lateMs;
    await vi.advanceTimersByTimeAsync(firstMs + 1);
    return await error;
  }

  const lateness = [0, 50, 10_000];

  it.each([
    [100, 100],
    [100, 101],
    [101, 100],
    [100, 2_000],
    [300, 2_000],
    [9_999_999, 2_000],
  ])('blames the store, however late a timer fires: %s ms left, %s ms of silence', async (left, silence) => {
    for (const lateMs of lateness) {
      expect(await giveUp(left, silence, lateMs)).toMatchObject({
        name: 'StoreError',
        reason: 'unreachable',
      });
    }
  });

  it.each([
    [-1, 2_000],
    [0, 2_000],
    [1, 2_000],
    [9, 2_000],
    [9, 9],
    [9, 5],
  ])('blames a request that came too late, however late a timer fires: %s ms left', async (left, silence) => {
    for (const lateMs of lateness) {
      expect(await giveUp(left, silence, lateMs)).toMatchObject({ code: 'DEADLINE_EXCEEDED', status: 504 });
    }
  });
});
