import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { buildModel, buildNode, FLOAT, STRING, tensorValue } from '../../support/build-model.ts';
import { readFormatFolder } from '../../support/format-folders.ts';
import { openHttpServer } from '../../support/hosts/http-server.ts';
import { MODELS } from '../../support/project.ts';
import { makeFolder, writeFiles } from '../../support/temporary-folder.ts';
import { folderOf } from '../installation.ts';
import { counterpart } from './counterpart.ts';

/** Models of each task besides the two examples, as frameworks write them. */
const EXPORTS = [
  'optimum/bert-sentiment',
  'optimum/bert-features',
  'optimum/sentence-mean',
  'optimum/vit',
  'optimum/vit-features',
  'tabular/sklearn-columns',
  'tabular/sklearn-regressor',
  'tabular/sklearn-zipmap',
];

/** Tensors in and out: numbers and texts, with a free axis and without one. */
const tensors = buildModel({
  nodes: [
    buildNode('Identity', ['x'], ['y']),
    buildNode('Identity', ['words'], ['said']),
    buildNode('ReduceSum', ['x'], ['sum'], { attributes: [] }),
  ],
  inputs: [tensorValue('x', FLOAT, ['n', 2]), tensorValue('words', STRING, ['m'])],
  outputs: [
    tensorValue('y', FLOAT, ['n', 2]),
    tensorValue('said', STRING, ['m']),
    tensorValue('sum', FLOAT, [1, 1]),
  ],
});

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
];

/** For each route; a run of about 15 seconds makes 6,000 requests. */
const REQUESTS = 6;

let command: string;

beforeAll(() => {
  command = join(folderOf(counterpart), 'bin/schemathesis');
});

async function makeModels(): Promise<string> {
  const folder = await makeFolder({ 'tensors/1/model.onnx': tensors });
  await cp(MODELS, folder, { recursive: true });
  for (const path of EXPORTS) {
    await writeFiles(join(folder, path.replace(/.*\//, ''), '1'), readFormatFolder(path));
  }
  return folder;
}

/** Runs the fuzzer, which keeps notes in the folder it runs in; what it has found is in its output. */
async function fuzz(
  url: string,
  seed: number,
): Promise<{ readonly hasPassed: boolean; readonly output: string }> {
  const config = join(import.meta.dirname, 'schemathesis.toml');
  const options = {
    checks: CHECKS.join(','),
    phases: 'examples,coverage,fuzzing',
    'max-examples': REQUESTS,
    seed,
    'generation-database': 'none',
    warnings: 'off',
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const all = ['--config-file', config, 'run', `${url}/openapi.json`, ...args, '--continue-on-failure'];
  return await promisify(execFile)(command, all, { cwd: await makeFolder({}), maxBuffer: 2 ** 26 }).then(
    ({ stdout }) => ({ hasPassed: true, output: stdout }),
    ({ stdout, stderr }: { stdout: string; stderr: string }) => ({
      hasPassed: false,
      output: stdout + stderr,
    }),
  );
}

describe('the description of the API', () => {
  it.each([1, 7])('holds for every answer to requests made with seed %i', async (seed) => {
    const server = await openHttpServer({ MODEL_REPOSITORY: await makeModels() });
    onTestFinished(() => server.close());
    const { hasPassed, output } = await fuzz(server.url, seed);
    expect(hasPassed, output).toBe(true);
    const [, requests = '0'] = output.match(/(\d+) generated, \d+ passed/) ?? [];
    expect(Number(requests)).toBeGreaterThan(4000);
  });
});
