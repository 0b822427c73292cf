import { describe, expect, it, onTestFinished } from 'vitest';
import { beginTogether, createRests, inTurn, mapInTurns } from '../../shared/turns.ts';

/** The order of the work, on a clock that advances by `stepMs` each time it is read. */
async function orderOf(stepMs: number) {
  const order: string[] = [];
  let time = 0;
  const results = mapInTurns(
    [1, 2, 3],
    function* (value) {
      for (const part of ['begin', 'middle', 'end']) {
        if (part !== 'begin') yield;
        order.push(`${part} of ${value}`);
      }
      return value * 2;
    },
    () => undefined,
    () => {
      time += stepMs;
      return time;
    },
  );
  setImmediate(() => order.push('another request'));
  expect(await results).toEqual([2, 4, 6]);
  return order;
}

describe('mapInTurns', () => {
  it('gives others a turn between slow values, and where a value can pause', async () => {
    const order = await orderOf(1000);
    expect(order.filter((each) => each !== 'another request')).toHaveLength(9);
    expect(order.indexOf('another request')).toBeGreaterThan(0);
    expect(order.indexOf('another request')).toBeLessThan(order.indexOf('end of 1'));
  });

  it('does values that take little in one turn', async () => {
    const parts = [1, 2, 3].flatMap((value) =>
      ['begin', 'middle', 'end'].map((part) => `${part} of ${value}`),
    );
    expect(await orderOf(0)).toEqual(parts);
  });

  it('stops at its next pause when nobody needs the results any more', async () => {
    let steps = 0;
    const work = function* () {
      for (;;) yield steps++;
    };
    const gone = new Error('gone');
    const goOn = () => {
      if (steps > 10) throw gone;
    };
    let time = 0;
    const now = () => (time += 1000);
    await expect(mapInTurns([1], work, goOn, now)).rejects.toBe(gone);
    expect(steps).toBe(11);
  });
});

describe('createRests', () => {
  it('gives others a turn after some time', async () => {
    const order: string[] = [];
    let time = 0;
    const rest = createRests(
      () => order.push('asked'),
      () => time,
    );
    setImmediate(() => order.push('another request'));
    await rest();
    order.push('first');
    time = 24;
    await rest();
    order.push('second');
    time = 25;
    await rest();
    order.push('third');
    time = 49;
    await rest();
    order.push('fourth');
    expect(order).toEqual(['first', 'second', 'another request', 'asked', 'third', 'fourth']);
  });
});

/** Keeps the event loop for longer than requests may run side by side. */
function takeLong(): void {
  const endMs = performance.now() + 3;
  while (performance.now() < endMs);
}

describe('beginTogether', () => {
  it('begins what came in one turn side by side, after all of it has come', async () => {
    const order: string[] = [];
    const work = async (name: string) => {
      order.push(`${name} came`);
      await beginTogether();
      order.push(`${name} began`);
      await undefined;
      order.push(`${name} continued`);
    };
    const first = work('first');
    const second = work('second');
    await Promise.all([first, second]);
    expect(order).toEqual([
      'first came',
      'second came',
      'first began',
      'second began',
      'first continued',
      'second continued',
    ]);
  });
});

describe('inTurn', () => {
  const countTurns = () => {
    let turn = 0;
    let ticker = setImmediate(function tick() {
      turn++;
      ticker = setImmediate(tick);
    });
    onTestFinished(() => clearImmediate(ticker));
    return () => turn;
  };

  /** Requests that come together and do some work each: in which order, and in which turn. */
  async function orderOf(work: () => void) {
    const turnOf = countTurns();
    const order: string[] = [];
    const turns = new Set<number>();
    const request = async (name: string) => {
      await beginTogether();
      return await inTurn(async () => {
        work();
        order.push(name);
        turns.add(turnOf());
        return name;
      });
    };
    const early = [request('first'), request('second'), request('third')];
    await early[0];
    expect(await Promise.all([...early, request('late')])).toEqual(['first', 'second', 'third', 'late']);
    expect(order).toEqual(['first', 'second', 'third', 'late']);
    return turns.size;
  }

  it('does work that takes long in a turn of its own, and what comes later after it', async () => {
    expect(await orderOf(takeLong)).toBe(4);
  });

  it('does work that takes little at once', async () => {
    expect(await orderOf(() => undefined)).toBeLessThan(4);
  });

  it('passes errors on, also of work that waited', async () => {
    await beginTogether();
    const failed = inTurn(async () => {
      takeLong();
      throw new Error('first');
    });
    const later = inTurn(() => Promise.reject(new Error('second')));
    await expect(failed).rejects.toThrow('first');
    await expect(later).rejects.toThrow('second');
  });
});
