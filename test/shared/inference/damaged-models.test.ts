import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../../shared/inference/load-model.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { openModelFile } from '../../../shared/runtime/open-model-file.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { PROJECT } from '../../support/project.ts';
import { makeFolder } from '../../support/temporary-folder.ts';
import { makeTrials } from '../../support/trials.ts';
import { folderOf } from './folder-of.ts';

const MODELS = ['mlflow/numbers', 'tabular/sklearn-zipmap-names'].map((path) =>
  readFileSync(join(PROJECT, 'test/fixtures/formats', path, 'model.onnx')),
);

/** Undefined for a model that can be served nevertheless. */
async function problemOf(model: Uint8Array): Promise<unknown> {
  const path = await makeFolder({ 'model.onnx': model });
  const folder = folderOf(path);
  const options = {
    tasks: KNOWN_TASKS,
    openSession: openModelFile,
    intraOpThreads: 1,
    trials: makeTrials(),
    onWarmUpError: () => undefined,
  };
  try {
    await (await loadModel({ name: 'm', version: '1' }, folder, options)).release();
    return undefined;
  } catch (error) {
    return error;
  }
}

async function expectModelErrors(models: Iterable<Uint8Array>): Promise<number> {
  let refused = 0;
  for (const model of models) {
    const problem = await problemOf(model);
    if (problem === undefined) continue;
    expect(problem).toBeInstanceOf(ModelError);
    refused += 1;
  }
  return refused;
}

describe('a damaged model file', () => {
  it.each(MODELS)('is refused with a message wherever it is cut off', async (model) => {
    const cuts = Array.from({ length: model.length }, (_, end) => model.subarray(0, end));
    // A cut after the graph loses only the operator sets.
    expect(await expectModelErrors(cuts)).toBeGreaterThan(model.length - 16);
  });

  it.each(MODELS)('is refused with a message, or served, whichever byte is changed', async (model) => {
    const changed = Array.from(model, (byte, at) => {
      const copy = Buffer.from(model);
      copy[at] = at % 2 === 0 ? byte ^ 0x80 : 0xff;
      return copy;
    });
    expect(await expectModelErrors(changed)).toBeGreaterThan(model.length / 3);
  });
});
