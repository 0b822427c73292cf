import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLineWriter } from '../../functions/line-writer.ts';
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
