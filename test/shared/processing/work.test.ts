import { describe, expect, it } from 'vitest';
import { finish, runInTurns, type Work } from '../../../shared/processing/work.ts';

/** Writes down which items are run together; two loops. */
function* writeDown(log: string[]): Work<string> {
  yield { count: 5, cost: 10, run: (from, to) => log.push(`a ${from} ${to}`) };
  yield { count: 2, cost: 100, run: (from, to) => log.push(`b ${from} ${to}`) };
  return 'made';
}

/** A clock that advances by `stepMs` each time it is read. */
function clock(stepMs: number): () => number {
  let time = 0;
  return () => {
    time += stepMs;
    return time;
  };
}

describe('finish', () => {
  it('runs each loop at once', () => {
    const log: string[] = [];
    expect([finish(writeDown(log)), ...log]).toEqual(['made', 'a 0 5', 'b 0 2']);
  });
});

describe('runInTurns', () => {
  it('runs as many items together as a part may cost, one at least', async () => {
    const log: string[] = [];
    const made = await runInTurns(writeDown(log), () => {}, { partCost: 20, now: clock(0) });
    expect([made, ...log]).toEqual(['made', 'a 0 2', 'a 2 4', 'a 4 5', 'b 0 1', 'b 1 2']);
  });

  it('has done short work before it returns', () => {
    const log: string[] = [];
    void runInTurns(writeDown(log), () => {}, { now: clock(3) });
    expect(log).toEqual(['a 0 5', 'b 0 2']);
  });

  it('gives others a turn after each 25 ms', async () => {
    const log: string[] = [];
    let isDone = false;
    const turn = () => {
      log.push('other');
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    // Each part takes 10 ms: three of them before the first pause.
    await runInTurns(writeDown(log), () => log.push('continue?'), { partCost: 10, now: clock(10) });
    isDone = true;
    expect(log).toEqual([
      'a 0 1',
      'a 1 2',
      'a 2 3',
      'other',
      'continue?',
      'a 3 4',
      'a 4 5',
      'b 0 1',
      'other',
      'continue?',
      'b 1 2',
    ]);
  });

  it('ends at the next pause when it is to stop', async () => {
    const log: string[] = [];
    const stop = () => {
      throw new Error('nobody waits');
    };
    const work = runInTurns(writeDown(log), stop, { partCost: 10, now: clock(10) });
    await expect(work).rejects.toThrow('nobody waits');
    expect(log).toEqual(['a 0 1', 'a 1 2', 'a 2 3']);
  });
});
