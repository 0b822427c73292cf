import { readFileSync } from 'node:fs';
import { cp, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBlocks, readSteps } from '../support/documented-commands.ts';
import { PROJECT } from '../support/project.ts';
import { startCommand } from '../support/run-command.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const PAGE = readFileSync(join(PROJECT, 'docs/own-code.md'), 'utf8');
const [FIRST = '', , LAST = ''] = readBlocks(PAGE, 'ts');
const [MEMBER = ''] = readBlocks(PAGE, 'json');

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
    const path = join(folder, 'models/iris/2/model.json');
    const config: object = JSON.parse(readFileSync(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...config, ...JSON.parse(`{${MEMBER}}`) }));
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
    const folder = await makeProject(imports + LAST);
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
});
