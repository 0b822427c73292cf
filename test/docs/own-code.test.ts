import { readFileSync } from 'node:fs';
import { cp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBlocks, readSteps } from '../support/documented-commands.ts';
import { PROJECT } from '../support/project.ts';
import { startCommand } from '../support/run-command.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const PAGE = readFileSync(join(PROJECT, 'docs/own-code.md'), 'utf8');
const [FIRST = '', , LAST = ''] = readBlocks(PAGE, 'ts');
const [MODEL_JSON = ''] = readBlocks(PAGE, 'json');

/** A project as the page describes it, with one model. */
async function makeProject(config: string): Promise<string> {
  const folder = await makeFolder({ 'ternion.config.ts': config, 'models/flowers/1/model.json': MODEL_JSON });
  await cp(join(PROJECT, 'models/iris/2/model.onnx'), join(folder, 'models/flowers/1/model.onnx'));
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

describe('docs/own-code.md', () => {
  it('has a project whose commands print what it says', async () => {
    const folder = await makeProject(FIRST);
    const steps = readSteps(PAGE);
    expect(steps).toHaveLength(2);
    for (const { command, answer } of steps) {
      const [, argument = ''] = /^npx ternion predict flowers '(.*)'$/.exec(command) ?? [];
      const { stdout, stderr } = await startCommand(['predict', 'flowers', argument], '', {}, folder).outcome;
      expect((stdout + stderr).trim()).toBe(answer);
    }
  });

  it('has an example of routes, functions around requests and answers that works', async () => {
    const imports = "import { defineConfig } from 'ternion';\n";
    const folder = await makeProject(imports + LAST);
    await cp(join(PROJECT, 'models/iris'), join(folder, 'models/iris'), { recursive: true });
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
