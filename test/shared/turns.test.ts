import { describe, expect, it, onTestFinished } from 'vitest';
import { afterOthers, beginTogether, createRests, mapInTurns } from '../../shared/turns.ts';

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

/** Keeps the event loop for longer than requests may go on side by side. */
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
      order.push(`${name} went on`);
    };
    const first = work('first');
    const second = work('second');
    await Promise.all([first, second]);
    expect(order).toEqual([
      'first came',
      'second came',
      'first began',
      'second began',
      'first went on',
      'second went on',
    ]);
  });
});

describe('afterOthers', () => {
  it('lets all go on that take little', async () => {
    await beginTogether();
    expect(afterOthers(performance.now())).toBeUndefined();
    expect(afterOthers(performance.now())).toBeUndefined();
  });

  it('lets one go on in each turn once they have taken long, and those that come later after them', async () => {
    let turn = 0;
    let ticker = setImmediate(function tick() {
      turn++;
      ticker = setImmediate(tick);
    });
    onTestFinished(() => clearImmediate(ticker));
    const order: string[] = [];
    const turns = new Set<number>();
    const request = async (name: string) => {
      await beginTogether();
      const others = afterOthers(performance.now());
      if (others !== undefined) await others;
      takeLong();
      order.push(name);
      turns.add(turn);
    };
    const early = [request('first'), request('second'), request('third')];
    await early[0];
    await Promise.all([...early, request('late')]);
    expect(order).toEqual(['first', 'second', 'third', 'late']);
    expect(turns.size).toBe(4);
  });
});
