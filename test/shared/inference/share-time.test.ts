import { describe, expect, it } from 'vitest';
import { mapInTurns } from '../../../shared/inference/share-time.ts';

/** What is done when, on a clock that goes on by so much at every look. */
async function orderOf(stepMs: number) {
  const order: string[] = [];
  let time = 0;
  const results = mapInTurns(
    [1, 2, 3],
    (value) => {
      order.push(`value ${value}`);
      return value * 2;
    },
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
  it('lets others have their turn between values that take long', async () => {
    const order = await orderOf(1000);
    expect(order.indexOf('another request')).toBeLessThan(order.indexOf('value 3'));
    expect(order).toContain('another request');
  });

  it('does values that take little in one turn', async () => {
    expect(await orderOf(0)).toEqual(['value 1', 'value 2', 'value 3']);
  });
});
