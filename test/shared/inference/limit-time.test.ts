import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { limitTime } from '../../../shared/inference/limit-time.ts';
import { runBatch } from '../../../shared/inference/run-batch.ts';
import { createSession, type Session } from '../../../shared/runtime/session.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import { rejectionOf } from '../error-of.ts';
import { inMemory } from '../in-memory.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../onnx/build-model.ts';
import { testBudget } from '../test-budget.ts';

const RUN_MS = 10;

describe('limitTime', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    [-1, 0, 'before the first run'],
    [5, 1, 'behind the first run'],
    [15, 2, 'behind the second run'],
  ])('with %s ms left stops after %s runs, %s', async (leftMs, runs) => {
    const { session, count } = await openPortions();
    const limited = limitTime(session, testBudget(), performance.now() + leftMs);
    expect(await rejectionOf(runFour(limited))).toMatchObject({ code: 'DEADLINE_EXCEEDED', status: 504 });
    expect(count()).toBe(runs);
  });

  it.each([40, Number.POSITIVE_INFINITY])('with %s ms left lets four runs of ten through', async (leftMs) => {
    const { session, count } = await openPortions();
    const outputs = await runFour(limitTime(session, testBudget(), performance.now() + leftMs));
    expect([...(outputs.get('y')?.data ?? [])]).toEqual([-1, -2, -3, -4]);
    expect(count()).toBe(4);
  });
});

/** A graph for one row at a time, whose runs take ten milliseconds of the clock. */
async function openPortions(): Promise<{ session: Session; count: () => number }> {
  const native = await createSession(
    inMemory(
      buildModel({
        nodes: [buildNode('Neg', ['x'], ['y'])],
        inputs: [tensorValue('x', FLOAT, [1])],
        outputs: [tensorValue('y', FLOAT, [1])],
      }),
    ),
    { intraOpThreads: 1 },
  );
  let runs = 0;
  const run: Session['run'] = async (feeds, fetches) => {
    runs++;
    vi.advanceTimersByTime(RUN_MS);
    return await native.run(feeds, fetches);
  };
  return { session: { ...native, run }, count: () => runs };
}

async function runFour(session: Session) {
  const [input] = session.inputs;
  if (!input) throw new Error('the graph has no input');
  return await runBatch(session, new Map([[input.name, createTensor('FP32', [4], [1, 2, 3, 4])]]), ['y']);
}
