import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { describeLoad, formatMs } from '../../../../functions/cli/bench/describe-load.ts';
import { problemOf } from '../../../../functions/cli/bench/http-target.ts';
import { sendLoad } from '../../../../functions/cli/bench/send-load.ts';
import { summariseLoad } from '../../../../functions/cli/bench/summarise-load.ts';

const loadOf = (latencies: readonly number[], problems: readonly (readonly [string, number])[] = []) => ({
  latenciesMs: Float64Array.from(latencies).sort(),
  problems: new Map(problems),
  seconds: 2,
});

describe('the summary of a load', () => {
  it('has the usual numbers of its latencies', () => {
    const latencies = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(
      summariseLoad(
        loadOf(latencies, [
          ['status 500', 3],
          ['timeout', 1],
        ]),
      ),
    ).toMatchObject({
      answers: 100,
      seconds: 2,
      throughput: 50,
      errors: 4,
      mean: 50.5,
      median: 50,
      min: 1,
      max: 100,
      deviation: expect.closeTo(28.866, 3),
      p95: 95,
      p99: 99,
    });
  });

  it('counts each answer once in bins from the shortest to the longest', () => {
    const histogram = summariseLoad(loadOf([1, 1, 1.5, 8, 100, 1024]))?.histogram ?? [];
    expect(histogram.map(({ answers }) => answers)).toEqual([3, 0, 0, 1, 0, 0, 1, 0, 0, 1]);
    expect(histogram.map(({ fromMs }) => Math.round(fromMs))).toEqual([
      1, 2, 4, 8, 16, 32, 64, 128, 256, 512,
    ]);
    expect(histogram.at(-1)?.toMs).toBe(1024);
  });

  it('has one bin for latencies that are all equal, and is undefined without answers', () => {
    expect(summariseLoad(loadOf([2, 2]))?.histogram).toEqual([{ fromMs: 2, toMs: 2, answers: 2 }]);
    expect(summariseLoad(loadOf([], [['status 500', 1]]))).toBeUndefined();
  });

  it('is shown with a bar for each bin, and with the problems', () => {
    const load = loadOf([1, 1, 1, 1024], [['status 500: \u001b[2J', 1]]);
    const summary = summariseLoad(load);
    const text = summary ? describeLoad('a model', summary, load) : '';
    expect(text).toMatch(/^a model\n {2}4 answers in 2\.0 s: 2\.0 per second, 1 error\n {2}mean +257 ms\n/);
    expect(text.match(/█+/g)?.map(({ length }) => length)).toEqual([40, 14]);
    expect(text).toMatch(/\n {2}1 error: status 500: \\u001b\[2J$/);
  });

  it.each([
    [0.0004, '0.000 ms'],
    [0.1234, '0.123 ms'],
    [1.2345, '1.23 ms'],
    [12.34, '12.3 ms'],
    [123.4, '123 ms'],
    [999.6, '1.00 s'],
    [12_345, '12.3 s'],
  ])('writes %f ms as %s', (milliseconds, text) => {
    expect(formatMs(milliseconds)).toBe(text);
  });
});

describe('a load', () => {
  it('has as many requests at a time as it may', async () => {
    let [running, most] = [0, 0];
    const send = async () => {
      most = Math.max(most, ++running);
      await wait(1);
      running--;
      return undefined;
    };
    const load = await sendLoad(send, { connections: 3, seconds: 0.05 });
    expect([most, running]).toEqual([3, 0]);
    expect(load.latenciesMs.length).toBeGreaterThan(3);
    expect([...load.latenciesMs]).toEqual([...load.latenciesMs].sort((a, b) => a - b));
  });

  it('counts problems apart from answers', async () => {
    let count = 0;
    const send = async () => {
      await wait(1);
      return count++ % 2 === 0 ? 'odd' : undefined;
    };
    const { latenciesMs, problems } = await sendLoad(send, { connections: 1, seconds: 0.05 });
    expect([latenciesMs.length, problems.get('odd')]).toEqual([Math.floor(count / 2), Math.ceil(count / 2)]);
  });
});

it.each([
  [{ status: 500, text: '' }, 'status 500'],
  [
    { status: 400, text: '{"error":"Field \\"a\\" is missing","code":400}' },
    'status 400: Field "a" is missing',
  ],
  [{ status: 502, text: '<html>\nBad Gateway' }, 'status 502: <html>'],
])('what is wrong with %j is said as %s', (answer, problem) => {
  expect(problemOf(answer)).toBe(problem);
});
