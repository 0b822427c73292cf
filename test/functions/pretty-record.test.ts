import { describe, expect, it } from 'vitest';
import { chooseLog } from '../../functions/log-format.ts';
import { createPrettyLine } from '../../functions/pretty-record.ts';

const REQUEST = {
  time: '2026-11-29T17:46:18.239Z',
  level: 'info',
  message: 'request',
  request_id: 'r-1',
  method: 'POST',
  path: '/predict',
  status: 200,
  duration_ms: 0.682,
  cold_start: false,
  model: 'iris',
  model_version: '2',
  batch_size: 1,
};

describe('a line of the log for people', () => {
  const plain = createPrettyLine(false);

  it.each([
    [{}, '17:46:18.239 200 POST /predict iris/2 0.682 ms'],
    [
      { batch_size: 3, cold_start: true },
      '17:46:18.239 200 POST /predict iris/2 3 instances 0.682 ms cold start',
    ],
    [
      { status: 404, model: undefined, error_code: 'RESOURCE_DOES_NOT_EXIST' },
      '17:46:18.239 404 POST /predict 0.682 ms RESOURCE_DOES_NOT_EXIST',
    ],
  ])('has of a request with %j what matters', (own, line) => {
    expect(plain({ ...REQUEST, ...own })).toBe(line);
  });

  it('has the colour of the status', () => {
    const coloured = createPrettyLine(true);
    const statuses = [200, 400, 503].map((status) => coloured({ ...REQUEST, status }));
    expect(statuses.map((line) => line.split(' ')[1])).toEqual([
      '\u001b[32m200\u001b[0m',
      '\u001b[33m400\u001b[0m',
      '\u001b[31m503\u001b[0m',
    ]);
  });

  it('is a sentence for all else', () => {
    const { time } = REQUEST;
    const error = new Error('no graph');
    expect(plain({ time, level: 'error', message: 'model failed to load', model: 'bad/1', error })).toBe(
      '17:46:18.239 error: model failed to load (model bad/1): no graph',
    );
  });

  it('does nothing in a terminal that a client wants', () => {
    for (const hasColours of [true, false]) {
      const line = createPrettyLine(hasColours)({
        ...REQUEST,
        method: 'A\u001b[2J',
        path: '/\r\n\u009b31m\u202e',
      });
      expect(line).toContain('A\\u001b[2J /\\u000d\\u000a\\u009b31m\\u202e');
      const own = ['2', '32', '0'].map((code) => `\u001b[${code}m`);
      const rest = own.reduce((text, code) => text.replaceAll(code, ''), line);
      expect(rest).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    }
  });
});

describe('--log', () => {
  it.each<[string | boolean | undefined, boolean | undefined]>([
    [undefined, true],
    [false, true],
    // The output of tests is not a terminal.
    [true, undefined],
    ['', undefined],
    ['json', undefined],
    ['pretty', false],
  ])('%j chooses a log for people that is quiet: %j', (log, isQuiet) => {
    expect(chooseLog(log)?.isQuiet).toBe(isQuiet);
  });

  it('refuses other words', () => {
    expect(() => chooseLog('text')).toThrow('--log is "text"; expected json or pretty.');
  });
});
