import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../../support/hosts/child-process.ts';
import { PROJECT } from '../../../support/project.ts';
import { startCommand } from '../../../support/run-command.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const configOf = (answer: string) => `
import { defineConfig } from 'ternion';
import { greet } from './code/greet.ts';
export default defineConfig({
  routes: [{ method: 'GET', path: '/hello', handle: () => Response.json(greet(${JSON.stringify(answer)})) }],
});
`;

const greetingOf = (word: string) => `export const greet = (name: string): string => '${word} ' + name;\n`;

describe('ternion dev', () => {
  it('starts again when a model, the configuration or what it imports changes', async () => {
    const folder = await makeFolder({
      'ternion.config.ts': configOf('one'),
      'code/greet.ts': greetingOf('hello'),
    });
    await cp(join(PROJECT, 'models/iris/1'), join(folder, 'models/iris/1'), { recursive: true });
    await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
    const port = await findFreePort();
    const running = startCommand(['dev', '--port', String(port)], '', {}, folder);
    onTestFinished(async () => {
      running.process.kill('SIGINT');
      await running.outcome;
    });

    /** Asks until the answer is there: the server is down for a moment. */
    async function until(path: string, expected: string): Promise<void> {
      for (;;) {
        const text = await fetch(`http://localhost:${port}${path}`).then(
          (response) => response.text(),
          () => '',
        );
        if (text.includes(expected)) return;
        await wait(50);
      }
    }

    await until('/hello', '"hello one"');
    await writeFile(join(folder, 'ternion.config.ts'), configOf('two'));
    await until('/hello', '"hello two"');
    await writeFile(join(folder, 'code/greet.ts'), greetingOf('bye'));
    await until('/hello', '"bye two"');
    await cp(join(PROJECT, 'models/iris/2'), join(folder, 'models/iris/2'), { recursive: true });
    await until('/models', '"live_version":"2"');
    // A mistake is printed, and the next change starts the server.
    await writeFile(join(folder, 'ternion.config.ts'), `${configOf('three')}oops(`);
    await wait(1000);
    await writeFile(join(folder, 'ternion.config.ts'), configOf('four'));
    await until('/hello', '"bye four"');
    expect(await readFile(join(folder, 'ternion.config.ts'), 'utf8')).toContain('four');
  });

  it('ends with its server', async () => {
    const folder = await makeFolder({});
    await cp(join(PROJECT, 'models/iris/1'), join(folder, 'models/iris/1'), { recursive: true });
    const port = await findFreePort();
    const running = startCommand(['dev', '--port', String(port)], '', {}, folder);
    await running.seen(/Ternion serves/);
    running.process.kill('SIGTERM');
    expect((await running.outcome).code).toBe(0);
    await expect(fetch(`http://localhost:${port}/ping`)).rejects.toThrow();
  });
});
