// Answers requests in a process of its own, which may end: a line for each, on file descriptor 3.
import { mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { loadModel } from '../../../shared/inference/load-model.ts';
import { createModelUse } from '../../../shared/inference/model-use.ts';
import { createStatistics } from '../../../shared/monitoring/statistics.ts';
import { openModelFile } from '../../../shared/runtime/open-model-file.ts';
import { createSession, type NamedTensors } from '../../../shared/runtime/session.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { testBudget } from '../../support/test-budget.ts';
import { makeTrials } from '../../support/trials.ts';
import { folderOf } from './folder-of.ts';
import type { ChildRequest, Outcome } from './request-in-child.ts';

const [path = '', start = '0'] = process.argv.slice(2);
const requests: readonly ChildRequest[] = deserialize(readFileSync(path));
for (const [index, request] of requests.entries()) {
  if (index < Number(start)) continue;
  writeSync(3, `${index}\n`);
  writeSync(3, `${JSON.stringify(await answer(request, join(`${path} models`, `${index}`)))}\n`);
}

async function answer(request: ChildRequest, folder: string): Promise<Outcome> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), request.model);
  try {
    const found = await infer(request, folder);
    if (!request.isCompared) return { kind: 'answered', tensors: describe(found) };
    const bare = await createSession(join(folder, 'model.onnx'), { intraOpThreads: 1 });
    return { kind: 'answered', tensors: describe(found), bare: describe(await bare.run(request.feeds)) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    return { kind: 'refused', name: error.name, message: error.message, code };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function infer({ feeds }: ChildRequest, folder: string): Promise<NamedTensors> {
  const model = await loadModel({ name: 'm', version: '1' }, folderOf(folder), {
    tasks: KNOWN_TASKS,
    openSession: openModelFile,
    intraOpThreads: 1,
    trials: makeTrials(),
    onWarmUpError: () => undefined,
  });
  return await createModelUse(model, testBudget(), createStatistics()).run(feeds);
}

/** Numbers by their bits, as NaN is not the same as itself. */
function describe(tensors: NamedTensors): string[] {
  return [...tensors].map(
    ([name, { datatype, shape, data }]) => `${name} ${datatype} [${shape}] ${bitsOf(data)}`,
  );
}

function bitsOf(data: ArrayLike<unknown>): string {
  if (ArrayBuffer.isView(data))
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
  return JSON.stringify(Array.from(data));
}
