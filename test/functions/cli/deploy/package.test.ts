import { chmod, cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeVersions } from '../../../../functions/cli/deploy/find-versions.ts';
import { packModels } from '../../../../functions/cli/deploy/packed-models.ts';
import { MODELS, PROJECT } from '../../../support/project.ts';
import { startCommand } from '../../../support/run-command.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

/** Runs the command in a project with the iris model. */
async function runIn(folder: string, ...args: readonly string[]) {
  return await startCommand(['package', ...args], '', {}, folder).outcome;
}

async function makeProject(): Promise<string> {
  const folder = await makeFolder({});
  await cp(join(MODELS, 'iris'), join(folder, 'models/iris'), { recursive: true });
  return folder;
}

it.each([
  [['gcp', '--nope'], "error: unknown option '--nope'\n"],
  [['gcp', '--name'], "error: option '--name <name>' argument missing\n"],
  [
    ['aws'],
    'There is no package for "aws"; the clouds are gcp and azure; "ternion deploy aws" deploys to AWS.\n',
  ],
  [['heroku'], 'There is no package for "heroku"; the clouds are gcp and azure.\n'],
  [['azure', '--server'], 'Option --server is for Google Cloud only.\n'],
  [['gcp', '--name', 'a b'], '--name is "a b"; expected letters, digits, "-", "_" and ".".\n'],
  [['gcp', 'now'], "error: too many arguments for 'package'. Expected 1 argument but got 2: gcp, now.\n"],
  [[], "error: missing required argument 'cloud'\n"],
])('ends with one sentence for %j', async (args, sentence) => {
  const { code, stdout, stderr } = await runIn(PROJECT, ...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr.startsWith(sentence)).toBe(true);
  expect(stderr.slice(sentence.length)).toMatch(
    /^(?:(?:\(Did you mean --name\?\)\n)?Add --help for usage\.\n)?$/,
  );
});

it('packs a server of its own, which needs no function and no package', async () => {
  const folder = await makeProject();
  const { code, stdout, stderr } = await runIn(folder, 'gcp', '--server');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^packed iris 1, 2 \(0\.\d MB\)\nmade dist\/gcp-server\n/);
  expect(stdout).toMatch(/^gcloud run deploy ternion --source=dist\/gcp-server --base-image=nodejs24 /m);
  const { main, scripts, dependencies } = JSON.parse(
    await readFile(join(folder, 'dist/gcp-server/package.json'), 'utf8'),
  );
  expect([main, scripts.start, dependencies]).toEqual(['index.mjs', 'node index.mjs', {}]);
});

it('runs the command with its settings, and ends as that ends', async () => {
  const folder = await makeProject();
  const bin = await makeFolder({ az: '#!/bin/sh\necho "$@" > "$RECORD"\nexit $CODE\n' });
  await chmod(join(bin, 'az'), 0o755);
  const record = join(bin, 'record');
  const args = ['package', 'azure', '--deploy', '--name', 'mine', '--resource-group', 'g'];
  const environment = { PATH: `${bin}:${process.env.PATH}`, RECORD: record, CODE: '7' };
  const { code } = await startCommand(args, '', environment, folder).outcome;
  expect(code).toBe(7);
  expect(await readFile(record, 'utf8')).toBe(
    'functionapp deployment source config-zip --name=mine --resource-group=g --src=dist/azure.zip --build-remote=false\n',
  );
  const json = await startCommand(
    ['package', 'azure', '--deploy', '--json'],
    '',
    { ...environment, CODE: '0' },
    folder,
  ).outcome;
  expect(JSON.parse(json.stdout)).toMatchObject({ upload: 'dist/azure.zip', deployed: true });
  const missing = await startCommand(args, '', { PATH: join(bin, 'nowhere') }, folder).outcome;
  expect([missing.code, missing.stderr.split('\n').at(-2)]).toEqual([
    1,
    'az cannot be run (spawnSync az ENOENT); is it installed?',
  ]);
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
    const { code, stdout, stderr } = await runIn(PROJECT, 'gcp', '--models', empty);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.split('\n')[0]).toBe(
      `${JSON.stringify(empty)} has no <name>/<version>/ with a .onnx file in it; "ternion add <model> --name <name> -r ${empty}" creates one.`,
    );
    const none = await runIn(PROJECT, 'azure', '--models', join(empty, 'nowhere'));
    expect(none.stderr).toContain('nowhere".');
  });
});
