import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLineWriter } from '../../functions/line-writer.ts';
import { PROJECT } from '../support/project.ts';
import { startNode } from '../support/run-command.ts';

describe('the lines of a log', () => {
  it('are written together at the end of a turn of the event loop', async () => {
    const written: string[] = [];
    const write = createLineWriter((text) => written.push(text));
    write('one', 'info');
    write('two', 'debug');
    expect(written).toEqual([]);
    await setImmediate();
    expect(written).toEqual(['one\ntwo\n']);
    write('three', 'info');
    await setImmediate();
    expect(written).toEqual(['one\ntwo\n', 'three\n']);
  });

  it.each(['warn', 'error'] as const)('are written at once with one of the level %s', (level) => {
    const written: string[] = [];
    const write = createLineWriter((text) => written.push(text));
    write('one', 'info');
    write('two', level);
    expect(written).toEqual(['one\ntwo\n']);
  });

  it('do not end a server when nobody reads them any more', async () => {
    const script = `
      import { setTimeout } from 'node:timers/promises';
      import { createLineWriter } from './functions/line-writer.ts';
      const write = createLineWriter();
      write('first', 'warn');
      await new Promise((resolve) => process.stdin.once('end', resolve).resume());
      for (let line = 0; line < 100; line++) {
        write('x'.repeat(10_000), 'warn');
        await setTimeout(1);
      }
      process.exit(7);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: PROJECT,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.end();
    const [code] = await once(child, 'close');
    expect(code).toBe(7);
  });

  it.each([
    ['at its end', 'process.exit(3)', 3],
    ['by an error that nobody catches', 'throw new Error("lost")', 1],
  ])('are all written before a process ends %s', async (_, end, code) => {
    const script = `
      import { createLineWriter } from './functions/line-writer.ts';
      const write = createLineWriter();
      for (let line = 0; line < 1000; line++) write('line ' + line, 'info');
      ${end};`;
    const result = await startNode(['--input-type=module', '--eval', script], {}).outcome;
    expect([result.code, result.stdout.trim().split('\n').length]).toEqual([code, 1000]);
  });
});
