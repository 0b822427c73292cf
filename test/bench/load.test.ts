import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { portOf } from '../support/port-of.ts';
import { loadWithAutocannon } from './load/autocannon.ts';
import { parseOutput, writeScript } from './load/wrk.ts';
import { get, postJson } from './requests.ts';

describe('wrk', () => {
  it('prints a line that is found among its other lines', () => {
    const output = [
      'Running 2s test @ http://127.0.0.1:8080',
      '  Latency    16.56ms   44.00ms 271.29ms   90.54%',
      'Requests/sec:  10084.35',
      'result 30500 2000000 7 1234 121137 130001 0.258',
      '',
    ].join('\n');
    expect(parseOutput(output)).toEqual({
      requests: 30_500,
      requestsPerSecond: 15_250,
      errors: 7,
      p50: 1.234,
      p95: 121.137,
      p99: 130.001,
      cpuSeconds: 0.258,
    });
  });

  it('without that line is an error with what it printed', () => {
    expect(() => parseOutput('unable to connect to 127.0.0.1:1 Connection refused\n')).toThrow(
      'unable to connect to 127.0.0.1:1',
    );
    expect(() => parseOutput('result 1 2 3')).toThrow('wrk printed no result');
  });

  it('gets a script that sends each request in turns, with its body from a file', () => {
    const script = writeScript([postJson('/predict', {}), get("/it's\\here")], '/tmp/a b');
    expect(script).toContain(
      "wrk.format('POST', '/predict', {['content-type']='application/json'}, read('/tmp/a b/0.body')),",
    );
    expect(script).toContain("wrk.format('GET', '/it\\'s\\\\here', {}, read('/tmp/a b/1.body')),");
    expect(script).toContain('count = count % #requests + 1');
    const single = writeScript([postJson('/predict', {})], '/tmp');
    expect(single).toContain(
      "wrk.method, wrk.path, wrk.headers, wrk.body = 'POST', '/predict', {['content-type']='application/json'}, read('/tmp/0.body')",
    );
    expect(single).not.toContain('function request()');
  });
});

describe('autocannon', () => {
  it('sends the bytes of each request in turns, and counts answers that are not 2xx as errors', async () => {
    const bodies = new Set<string>();
    const server = createServer(async (request, response) => {
      bodies.add(`${request.method} ${request.url} ${(await buffer(request)).toString('hex')}`);
      response.writeHead(request.url === '/wrong' ? 400 : 200).end('answer');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => server.closeAllConnections());
    onTestFinished(() => void server.close());
    const bytes = { ...postJson('/right', {}), body: Buffer.of(0, 255, 10) };
    const result = await loadWithAutocannon({
      port: portOf(server),
      requests: [bytes, get('/wrong')],
      connections: 2,
      seconds: 1,
    });
    expect([...bodies].sort()).toEqual(['GET /wrong ', 'POST /right 00ff0a']);
    expect(result.errors / result.requests).toBeCloseTo(0.5, 1);
    expect(result.p50).toBeGreaterThan(0);
    expect(result.p99).toBeGreaterThanOrEqual(result.p95);
    expect(result.cpuSeconds).toBeGreaterThan(0);
  });
});
