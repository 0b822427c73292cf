import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../../../shared/config.ts';
import { InferenceError } from '../../../shared/errors.ts';
import { createLogger, type LogFields } from '../../../shared/monitoring/logger.ts';

function logOf(fields: LogFields): Record<string, unknown> {
  const lines: string[] = [];
  createLogger('debug', (line) => lines.push(line)).log('info', 'a message', fields);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch('\n');
  return JSON.parse(lines[0] ?? '');
}

describe('createLogger', () => {
  it('writes one line of JSON with the time, the level, the message and the fields', () => {
    const { time, ...others } = logOf({ model: 'iris/1', run_ms: 1.5, text: 'two\nlines', none: undefined });
    expect(new Date(String(time)).toISOString()).toBe(time);
    expect(others).toEqual({
      level: 'info',
      message: 'a message',
      model: 'iris/1',
      run_ms: 1.5,
      text: 'two\nlines',
    });
  });

  it.each<[LogLevel, string[]]>([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ])('writes at the level %s: %j', (level, expected) => {
    const lines: string[] = [];
    const logger = createLogger(level, (line) => lines.push(line));
    for (const messageLevel of ['debug', 'info', 'warn', 'error'] as const) logger.log(messageLevel, 'm');
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(expected);
  });

  it('writes an error with its whole chain of causes', () => {
    const root = new TypeError('root');
    const error = new InferenceError('INTERNAL_ERROR', 'outer', {
      cause: new Error('middle', { cause: root }),
    });
    expect(logOf({ error })).toMatchObject({
      error: {
        name: 'InferenceError',
        message: 'outer',
        stack: expect.stringContaining('logger.test.ts'),
        cause: { name: 'Error', message: 'middle', cause: { name: 'TypeError', message: 'root' } },
      },
    });
  });

  it('writes a cause that is not an error', () => {
    expect(logOf({ cause: 'text' })).toMatchObject({ cause: 'text' });
    expect(logOf({ error: new Error('e', { cause: { code: 7 } }) })).toMatchObject({
      error: { cause: { code: 7 } },
    });
  });
});
