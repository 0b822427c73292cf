import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createBudget } from '../../../shared/budget.ts';
import type { Model } from '../../../shared/inference/load-model.ts';
import { loadModel } from '../../../shared/inference/load-model.ts';
import { createModelUse } from '../../../shared/inference/model-use.ts';
import { createStatistics } from '../../../shared/monitoring/statistics.ts';
import { openModelFile } from '../../../shared/runtime/open-model-file.ts';
import type { Session } from '../../../shared/runtime/session.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { makeFolder } from '../../support/temporary-folder.ts';
import { testBudget, testLimits } from '../../support/test-budget.ts';
import { makeTrials } from '../../support/trials.ts';
import { folderOf } from './folder-of.ts';

const RUN_MS = 10;

const reference = { name: 'm', version: '1' };

describe('a use of a model', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const deadlines = [
    [-1, 0, 'before the first run'],
    [5, 1, 'after the first run'],
    [15, 2, 'after the second run'],
  ] as const;

  it.each(deadlines)('with %s ms left stops after %s runs, %s', async (leftMs, runs) => {
    const { model, count } = await openOneRow();
    const deadlineMs = performance.now() + leftMs;
    const use = createModelUse(model, testBudget(), createStatistics());
    const late = { code: 'DEADLINE_EXCEEDED', status: 504 };
    expect(await rejectionOf(use.run(FOUR, { layout: 'batch', deadlineMs }))).toMatchObject(late);
    expect(count()).toBe(runs);
  });

  it.each(deadlines)('keeps the deadline of the request: with %s ms left %s runs', async (leftMs, runs) => {
    const { model, count } = await openOneRow();
    const budget = createBudget(testLimits(), { deadlineMs: performance.now() + leftMs });
    const use = createModelUse(model, budget, createStatistics());
    const late = { code: 'DEADLINE_EXCEEDED', status: 504 };
    expect(await rejectionOf(use.run(FOUR, { layout: 'batch' }))).toMatchObject(late);
    expect(count()).toBe(runs);
  });

  it.each([40, undefined])('with %s ms left lets four runs of ten through', async (leftMs) => {
    const { model, count } = await openOneRow();
    const deadlineMs = leftMs === undefined ? undefined : performance.now() + leftMs;
    const use = createModelUse(model, testBudget(), createStatistics());
    const outputs = await use.run(FOUR, { layout: 'batch', deadlineMs });
    expect([...(outputs.get('y')?.data ?? [])]).toEqual([-1, -2, -3, -4]);
    expect(count()).toBe(4);
  });

  it('accounts for all that was run, and for what failed', async () => {
    const { model } = await openOneRow();
    const statistics = createStatistics();
    const use = createModelUse(model, testBudget(), statistics);
    const before = { reference: use.reference, askedMs: 7, loadMs: 3, inputMs: 0, queueMs: 0 };
    expect(use.account(7, 3)).toEqual({ ...before, runs: 0, runMs: 0, instances: 0 });
    await use.run(FOUR, { layout: 'batch' });
    await rejectionOf(use.run(new Map([['z', FOUR_ROWS]])));
    await use.run(new Map([['x', createTensor('FP32', [1], [5])]]));
    expect(use.account(7, 3)).toEqual({ ...before, runs: 5, runMs: 50, instances: 5 });
    expect(statistics.of(reference)).toMatchObject({
      inferences: 5,
      success: { count: 2, totalMs: 50 },
      failure: { count: 1 },
    });
  });
});

const FOUR_ROWS = createTensor('FP32', [4], [1, 2, 3, 4]);
const FOUR = new Map([['x', FOUR_ROWS]]);

/** A model of one row at a time, whose runs take ten milliseconds of the clock. */
async function openOneRow(): Promise<{ model: Model; count: () => number }> {
  const graph = buildModel({
    nodes: [buildNode('Neg', ['x'], ['y'])],
    inputs: [tensorValue('x', FLOAT, [1])],
    outputs: [tensorValue('y', FLOAT, [1])],
  });
  const path = await makeFolder({ 'model.onnx': graph, 'model.json': '{"task": "tensor"}' });
  const model = await loadModel(reference, folderOf(path), {
    tasks: KNOWN_TASKS,
    openSession: openModelFile,
    intraOpThreads: 1,
    trials: makeTrials(),
    onWarmUpError: (error) => {
      throw error;
    },
  });
  onTestFinished(() => model.release());
  let runs = 0;
  const run: Session['run'] = async (feeds, fetches) => {
    runs++;
    vi.advanceTimersByTime(RUN_MS);
    return await model.session.run(feeds, fetches);
  };
  return { model: { ...model, session: { ...model.session, run } }, count: () => runs };
}
