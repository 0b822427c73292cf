import { readFileSync } from 'node:fs';
import { cp, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readBlocks, readSteps } from '../support/documented-commands.ts';
import { startRedisServer } from '../support/features/redis-server.ts';
import { PROJECT } from '../support/project.ts';
import { startCommand } from '../support/run-command.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const PAGE = readFileSync(join(PROJECT, 'docs/own-code.md'), 'utf8');
const [FIRST = '', , ROUTES = '', FEATURES = ''] = readBlocks(PAGE, 'ts');
const [MEMBER = '', LOOK_UP = ''] = readBlocks(PAGE, 'json');

/** Adds members to the model.json of the iris model. */
async function addMembers(folder: string, members: string): Promise<void> {
  const path = join(folder, 'models/iris/2/model.json');
  const config: object = JSON.parse(readFileSync(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...config, ...JSON.parse(`{${members}}`) }));
}

/** A project as the page describes it, with the example models. */
async function makeProject(config: string): Promise<string> {
  const folder = await makeFolder({ 'ternion.config.ts': config });
  await cp(join(PROJECT, 'models'), join(folder, 'models'), { recursive: true });
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

describe('docs/own-code.md', () => {
  it('has a project whose commands print what it says', async () => {
    const folder = await makeProject(FIRST);
    await addMembers(folder, MEMBER);
    const steps = readSteps(PAGE);
    expect(steps).toHaveLength(2);
    for (const { command, answer } of steps) {
      const [, argument = ''] = /^npx ternion predict iris '(.*)'$/.exec(command) ?? [];
      const { stdout, stderr } = await startCommand(['predict', 'iris', argument], '', {}, folder).outcome;
      expect((stdout + stderr).trim()).toBe(answer);
    }
  });

  it('has an example of routes, functions around requests and answers that works', async () => {
    const imports = "import { defineConfig } from 'ternion';\n";
    const folder = await makeProject(imports + ROUTES);
    const running = startCommand(['serve', '--port', '0'], '', {}, folder);
    try {
      const url = (await running.seen(/http:\/\/localhost:\d+/)).trim();
      const response = await fetch(`${url}/customers/c7/flower`);
      expect([await response.json(), response.headers.get('x-team')]).toEqual([
        { id: 'c7', prediction: 'setosa' },
        'flowers',
      ]);
    } finally {
      running.process.kill('SIGTERM');
    }
    expect((await running.outcome).stderr).toMatch(/\/customers\/c7\/flower: 200 in [\d.]+ ms/);
  });

  it('has a step that looks up features, whose example works, and says what is missing', async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.close());
    server.hashes.set('flower:first', { sepal_length: '5.1', sepal_width: '3.5' });
    const folder = await makeProject(FEATURES);
    await addMembers(folder, LOOK_UP);
    const predict = async (environment: Readonly<Record<string, string>>) => {
      const [, sent = ''] = /Clients send `(.*?)`/.exec(PAGE) ?? [];
      return await startCommand(['predict', 'iris', sent], '', environment, folder).outcome;
    };
    const { stdout } = await predict({ REDIS_URL: `redis://127.0.0.1:${server.port}` });
    expect(stdout).toContain('setosa');
    const { code, stderr } = await predict({ REDIS_URL: '' });
    expect([code, stderr]).toEqual([
      2,
      'ternion.config.ts cannot be used: The store "redis" needs "url", which is empty. If it comes from a variable of the environment, set that variable.\n',
    ]);
  });
});
