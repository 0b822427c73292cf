import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openApp } from '../../../support/hosts/in-process.ts';
import { listen } from '../../../support/hosts/listen.ts';
import { portOf } from '../../../support/port-of.ts';
import { runCommand } from '../../../support/run-command.ts';

async function serveIris(): Promise<string> {
  const { url, close } = await listen(openApp());
  onTestFinished(close);
  return url;
}

/** A server that answers requests in turns with these statuses. */
async function serveStatuses(...statuses: readonly [number, ...number[]]): Promise<string> {
  let count = 0;
  const server = createServer((request, response) => {
    request.resume();
    const status = statuses[Math.min(count++, statuses.length - 1)] ?? statuses[0];
    response.writeHead(status).end('{"error":"it is \\"full\\""}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${portOf(server)}/predict`;
}

const SHORT = ['--duration', '1'];

describe('ternion bench', { timeout: 30_000 }, () => {
  it('measures a model in its own process, with its example', async () => {
    const { code, stdout } = await runCommand(['bench', 'iris', ...SHORT, '--json']);
    const measured = JSON.parse(stdout);
    expect([code, measured]).toMatchObject([
      0,
      { target: 'iris in this process', connections: 1, errors: 0 },
    ]);
    const { answers, seconds, throughput, min, mean, median, p95, p99, max, histogram } = measured;
    expect(throughput).toBeCloseTo(answers / seconds, 6);
    expect([min, median, p95, p99, max]).toEqual([min, median, p95, p99, max].sort((a, b) => a - b));
    expect(mean).toBeGreaterThan(0);
    const counted = histogram.map((bin: { readonly answers: number }) => bin.answers);
    expect(counted.reduce((sum: number, each: number) => sum + each, 0)).toBe(answers);
  });

  it('measures a URL, with the example that the server knows', async () => {
    const url = `${await serveIris()}/models/iris/predict`;
    const { code, stdout } = await runCommand(['bench', url, '-c', '4', ...SHORT]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(
          `^${url}, 4 requests at a time\\n {2}[\\d,]+ answers? in 1\\.\\d s: [\\d.]+ per second, 0 errors\\n`,
        ),
      ),
    ]);
    expect(stdout).toMatch(/\n {2}deviation .*\n {2}p95 .*\n {2}p99 .*\n\n(?: +[\d.]+ m?s .*\n){10}$/);
  });

  it('measures any route with the data that it is given', async () => {
    const url = `${await serveIris()}/v1/models/iris:predict`;
    const { code, stdout } = await runCommand([
      'bench',
      url,
      '-d',
      '{"instances":[[5.1,3.5,1.4,0.2]]}',
      ...SHORT,
    ]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('1 request at a time')]);
  });

  it('counts errors by what they say, and then ends with 3', async () => {
    const url = await serveStatuses(200, 503, 200);
    const failing = await serveStatuses(200, 200, 503);
    const one = await runCommand(['bench', url, '-d', '{}', ...SHORT]);
    // The error fell into the second that is not counted.
    expect([one.code, one.stdout]).toEqual([0, expect.stringContaining(', 0 errors\n')]);
    const all = await runCommand(['bench', failing, '-d', '{}', ...SHORT]);
    expect([all.code, all.stderr]).toEqual([1, 'No request was answered: status 503: it is "full"\n']);
  });

  it.each<[string, readonly string[], number, RegExp]>([
    [
      'a route without an example',
      ['http://localhost:9/score'],
      2,
      /^--data is missing: the request to send to http:/,
    ],
    [
      'a server that is not there',
      ['http://localhost:9/score', '-d', '{}'],
      1,
      /was not answered: .*ECONNREFUSED/,
    ],
    ['a URL that is not one', ['http://', '-d', '{}'], 2, /"http:\/\/" is not a URL/],
    ['an unknown model', ['nothing'], 1, /nothing/],
    [
      'data that the model refuses',
      ['iris', '-d', '[1]'],
      1,
      /was not answered: status 400: Field "features" has 1 value/,
    ],
    ['no connections', ['iris', '-c', '0'], 2, /--connections "0" must be a whole number from 1 to 1024/],
    ['half a second', ['iris', '-t', '0.5'], 2, /--duration "0\.5" must be a whole number from 1/],
  ])('says what is wrong with %s', async (_, args, code, message) => {
    const result = await runCommand(['bench', ...args]);
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(message)]);
  });
});
