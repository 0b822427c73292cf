import { describe, expect, it } from 'vitest';
import { describeRecord } from '../../functions/describe-record.ts';
import { createLogger } from '../../shared/monitoring/logger.ts';

function lineOf(level: 'warn' | 'error', fields: Readonly<Record<string, unknown>>): string {
  const lines: string[] = [];
  createLogger('warn', (line) => lines.push(line), describeRecord).log(level, 'it failed', fields);
  return lines.join('\n');
}

describe('a record of the log, for people', () => {
  it('is a sentence with its subject and reason, without a stack', () => {
    const inner = new Error('the disk is full');
    const error = new Error('the file cannot be written', { cause: inner });
    expect(lineOf('error', { model: 'iris/2', status: 503, error })).toBe(
      'error: it failed (model iris/2, status 503): the file cannot be written: the disk is full',
    );
  });

  it('says a reason once', () => {
    const error = new Error('not read: no such file', { cause: new Error('no such file') });
    expect(lineOf('warn', { error })).toBe('warning: it failed: not read: no such file');
  });

  it('says why own code has failed, and where', () => {
    const inner = new Error('db down');
    inner.stack = `Error: db down\n    at node:internal/x:1:2\n    at after (${process.cwd()}/ternion.config.ts:12:9)`;
    const error = new Error('The step "decide" failed; the log of the server says why.', { cause: inner });
    expect(lineOf('error', { error })).toBe(
      'error: it failed: The step "decide" failed: db down (ternion.config.ts:12:9)',
    );
  });

  it.each([
    ['nothing', {}, 'warning: it failed'],
    ['a text', { error: 'too late' }, 'warning: it failed: too late'],
    ['values of other kinds', { list: [1], flag: true, none: undefined }, 'warning: it failed'],
  ])('is a sentence for %s', (_, fields, line) => {
    expect(lineOf('warn', fields)).toBe(line);
  });
});
