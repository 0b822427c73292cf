import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeVersions } from '../../infra/build/find-versions.ts';
import { packModels } from '../../infra/build/package-models.ts';
import { PROJECT } from '../support/project.ts';
import { startNode } from '../support/run-command.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const run = async (...args: readonly string[]) => await startNode(['infra/package.ts', ...args], {}).outcome;

it('prints its options when asked', async () => {
  const { code, stdout, stderr } = await run('gcp', '--help');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Usage: npm run package:<gcp\|azure> -- \[options\]\n.*--region/s);
});

it.each([
  [['gcp', '--nope'], "Unknown option '--nope'.\n"],
  [['gcp', '--name'], "Option '--name <value>' argument missing\n"],
  [['aws'], 'Unexpected argument: "aws".\n'],
  [['azure', '--server'], 'Option --server is for Google Cloud only.\n'],
  [['gcp', 'now'], 'Unexpected argument: "now".\n'],
  [[], 'The name of a cloud is missing.\n'],
])('ends with one sentence and its usage for %j', async (args, sentence) => {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^[^\n]*\n\nUsage: /);
  expect(stderr.startsWith(sentence)).toBe(true);
});

it('packs a server of its own, which needs no function and no package', async () => {
  const { code, stdout, stderr } = await run('gcp', '--server');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('made dist/gcp-server\n');
  expect(stdout).toMatch(/^gcloud run deploy ternion --source=dist\/gcp-server --base-image=nodejs24 /m);
  const { main, scripts, dependencies } = JSON.parse(
    await readFile(join(PROJECT, 'dist/gcp-server/package.json'), 'utf8'),
  );
  expect([main, scripts.start, dependencies]).toEqual(['index.mjs', 'node index.mjs', {}]);
});

describe('the models of a package', () => {
  it('replace the example models, without the files that made them', async () => {
    const folder = await makeFolder({
      'houses/1/model.onnx': 'graph',
      'houses/2/onnx/model.onnx': 'graph 2',
      'houses/2/tokenizer.json': '{}',
      'houses/deployment.json': '{}',
      'houses/train.py': '',
      'texts/latest/model_q4.onnx': 'q',
      'texts/latest/.cache/x': '',
      'notes.txt': '',
    });
    const target = await makeFolder({ 'models/iris/1/model.onnx': 'old', 'index.mjs': '' });
    const { versions, bytes } = packModels(folder, target);
    expect([describeVersions(versions), bytes]).toEqual(['houses 1, 2; texts latest', 17]);
    const packed = (await readdir(join(target, 'models'), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(target.length + 1))
      .sort();
    expect(packed).toEqual([
      'models/houses/1/model.onnx',
      'models/houses/2/onnx/model.onnx',
      'models/houses/2/tokenizer.json',
      'models/houses/deployment.json',
      'models/notes.txt',
      'models/texts/latest/model_q4.onnx',
    ]);
  });

  it('must not be missing', async () => {
    const empty = await makeFolder({ 'model.onnx': 'graph', 'houses/model.onnx': 'graph' });
    const { code, stdout, stderr } = await run('gcp', '--models', empty);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.split('\n')[0]).toBe(
      `${JSON.stringify(empty)} has no <name>/<version>/ with a .onnx file in it; "ternion add <model> --name <name> -r ${empty}" creates one.`,
    );
    const none = await run('azure', '--models', join(empty, 'nowhere'));
    expect(none.stderr).toContain('nowhere" cannot be read: it is not a folder.');
  });
});
