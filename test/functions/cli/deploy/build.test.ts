import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { FUNCTION_TARGETS } from '../../../../functions/cli/deploy/function-targets.ts';
import { openServerBundle } from '../../../support/hosts/child-process.ts';
import { MODELS, PROJECT } from '../../../support/project.ts';
import { startCommand } from '../../../support/run-command.ts';
import { TARGETS } from '../../../support/targets.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const CONFIG = `
import { defineConfig } from 'ternion';
export default defineConfig({
  routes: [{ method: 'GET', path: '/hello', handle: () => Response.json({ hello: 'you' }) }],
});
`;

async function makeProject(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await makeFolder({ 'package.json': '{}', ...files });
  await cp(join(MODELS, 'iris/1'), join(folder, 'models/flowers/7'), { recursive: true });
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

const build = (folder: string, ...args: readonly string[]) =>
  startCommand(['build', ...args], '', {}, folder).outcome;

it('knows all targets that the project deploys', () => {
  const deployed = TARGETS.filter(({ isDeployed }) => isDeployed);
  const named = deployed.map(({ name, host, platform }) => ({ name, host, platform }));
  expect(FUNCTION_TARGETS.toSorted(byName)).toEqual(named.toSorted(byName));
});

it('builds what runs with the models and the own code of a project', async () => {
  const folder = await makeProject({ 'ternion.config.ts': CONFIG });
  expect(await build(folder, 'gcp-server', 'aws-arm64')).toEqual({
    code: 0,
    stdout: [
      'built dist/gcp-server with the models flowers 7 (0.1 MB)',
      'built dist/aws-arm64 with the models flowers 7 (0.1 MB)',
      '',
    ].join('\n'),
    stderr: '',
  });
  const host = await openServerBundle(join(folder, 'dist/gcp-server'), { MODEL_REPOSITORY: '' });
  onTestFinished(() => host.close());
  const get = (path: string) => host.send({ method: 'GET', path, headers: {}, body: Buffer.alloc(0) });
  expect(JSON.parse((await get('/hello')).body.toString())).toEqual({ hello: 'you' });
  expect(JSON.parse((await get('/models')).body.toString())).toMatchObject({ models: [{ name: 'flowers' }] });
  // The same as the project's own build, except models and code.
  const ours = (await readdir(join(PROJECT, 'dist/aws-arm64'))).sort();
  const theirs = (await readdir(join(folder, 'dist/aws-arm64'))).sort();
  expect(theirs).toEqual([...ours, 'own-code.mjs'].sort());
});

it('prints JSON', async () => {
  const folder = await makeProject();
  const { stdout } = await build(folder, 'azure', '--output', 'out', '--json');
  expect(JSON.parse(stdout)).toEqual([
    { folder: 'out/azure', models: { flowers: ['7'] }, bytes: expect.any(Number) },
  ]);
});

it('replaces a build, and leaves it if the next one fails', async () => {
  const folder = await makeProject();
  await build(folder, 'gcp');
  await writeFile(join(folder, 'dist/gcp/leftover.txt'), '');
  await writeFile(join(folder, 'ternion.config.ts'), 'export default {');
  const failed = await build(folder, 'gcp');
  expect([failed.code, failed.stdout]).toEqual([1, '']);
  expect(failed.stderr).toMatch(/ternion\.config\.ts cannot be compiled:\n {2}ternion\.config\.ts:1:17: /);
  expect(await readdir(join(folder, 'dist/gcp'))).toContain('leftover.txt');
  await writeFile(join(folder, 'ternion.config.ts'), CONFIG);
  expect((await build(folder, 'gcp')).code).toBe(0);
  const files = await readdir(join(folder, 'dist/gcp'));
  expect(files).toContain('own-code.mjs');
  expect(files).not.toContain('leftover.txt');
  expect(await readdir(join(folder, 'dist'))).toEqual(['gcp']);
});

it('removes no folder that is something else', async () => {
  const folder = await makeProject();
  await mkdir(join(folder, 'gcp'));
  await writeFile(join(folder, 'gcp/thesis.txt'), 'years');
  expect(await build(folder, 'gcp', '--output', '.')).toEqual({
    code: 1,
    stdout: '',
    stderr: '"gcp" has other files than a build; choose another folder by --output.\n',
  });
  expect(await readFile(join(folder, 'gcp/thesis.txt'), 'utf8')).toBe('years');
});

it('leaves nothing when it is interrupted', async () => {
  const folder = await makeProject();
  const building = startCommand(['build', 'gcp', 'gcp-server', 'azure'], '', {}, folder);
  const staging = join(folder, 'dist/.ternion');
  while (!existsSync(staging) && building.process.exitCode === null) await setTimeout(1);
  building.process.kill('SIGINT');
  await building.outcome;
  expect(building.process.signalCode ?? building.process.exitCode).toBe('SIGINT');
  expect(existsSync(staging) ? await readdir(staging) : []).toEqual([]);
});

it('removes what a killed build has left', async () => {
  const folder = await makeProject();
  const left = startCommand(['build', 'gcp'], '', {}, folder);
  const staging = join(folder, 'dist/.ternion');
  while (!existsSync(staging) || (await readdir(staging)).length === 0) await setTimeout(1);
  left.process.kill('SIGKILL');
  await left.outcome;
  expect((await build(folder, 'gcp')).code).toBe(0);
  expect(await readdir(join(folder, 'dist'))).toEqual(['gcp']);
});

it('names a step that no own code of the project defines', async () => {
  const folder = await makeProject();
  const file = join(folder, 'models/flowers/7/model.json');
  const config: object = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...config, processors: [{ step: 'decide' }] }));
  expect((await build(folder, 'azure', '--no-check')).code).toBe(0);
  expect(await build(folder, 'gcp')).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'Models that cannot be loaded here could not answer there either; --no-check builds all the same.\n' +
      'flowers/7: Model "flowers" version "7" cannot be loaded: its model.json names the step "decide", and this server has no own code; a ternion.config.ts has it.\n',
  });
});

it('packs models that are there, and no links to folders', async () => {
  const folder = await makeProject();
  await symlink(join(MODELS, 'digits'), join(folder, 'models/linked'));
  expect((await build(folder, 'gcp')).stdout).toBe('built dist/gcp with the models flowers 7 (0.1 MB)\n');
  expect(await readdir(join(folder, 'dist/gcp/models'))).toEqual(['flowers']);
});

it.each([
  [['heroku'], 2, 'There is no target "heroku"; the targets are aws-arm64, aws-x64, gcp, gcp-server, azure.'],
  [
    ['gcp', 'heroku'],
    2,
    'There is no target "heroku"; the targets are aws-arm64, aws-x64, gcp, gcp-server, azure.',
  ],
  [['gcp', '--models', 'package.json'], 1, '"package.json" cannot be read: it is not a folder.'],
  [
    ['gcp', '--models', 'models/flowers'],
    1,
    /^"models\/flowers" has no <name>\/<version>\/ with a \.onnx file in it; /,
  ],
  [['gcp', '--models', '.'], 1, '"." is a project, and not a folder of models: it has a package.json.'],
  [
    ['gcp', '--output', 'package.json'],
    1,
    '"package.json" cannot be made or written to; choose another folder by --output.',
  ],
  [['gcp', '--config', 'none.ts'], 2, 'There is no file "none.ts" for --config.'],
])('refuses %j', async (args, code, sentence) => {
  const folder = await makeProject();
  const failed = await build(folder, ...args);
  expect([failed.code, failed.stdout]).toEqual([code, '']);
  expect(failed.stderr).toMatch(sentence);
  expect(await readdir(folder)).not.toContain('dist');
});

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name.localeCompare(b.name);
}
