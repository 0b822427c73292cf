import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../support/hosts/child-process.ts';
import { portOf } from '../../support/port-of.ts';
import { runCommand, startCommand } from '../../support/run-command.ts';

async function serve(environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const port = await findFreePort();
  const server = startCommand(['serve', '-r', 'models', '--port', String(port)], '', environment);
  onTestFinished(async () => {
    server.process.kill('SIGINT');
    await server.outcome;
  });
  await server.seen(/Ternion serves/);
  return `http://127.0.0.1:${port}`;
}

/** The address of a server that is not Ternion. */
async function answerWith(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${portOf(server)}`;
}

/** Sends requests to a model until the function that it returns is called. */
function keepAsking(url: string): () => Promise<number> {
  let isOver = false;
  const asked = (async () => {
    let count = 0;
    for (; !isOver; count += 1) {
      const body = JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] });
      await (await fetch(`${url}/models/iris/predict`, { method: 'POST', body })).arrayBuffer();
    }
    return count;
  })();
  return async () => {
    isOver = true;
    return await asked;
  };
}

describe('ternion top', () => {
  it('shows what a server does in the time between two readings', async () => {
    const url = await serve();
    const stop = keepAsking(url);
    const { code, stdout, stderr } = await runCommand(['top', url, '--once', '--interval', '1', '--json']);
    const asked = await stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const picture = JSON.parse(stdout);
    expect(picture).toMatchObject({
      errors_per_second: 0,
      loaded_models: 1,
      models: [{ model: 'iris', version: '2', errors_per_second: 0 }],
    });
    expect(picture.requests_per_second).toBeGreaterThan(0);
    expect(picture.requests_per_second * picture.seconds).toBeLessThanOrEqual(asked + 1);
    expect(picture.models[0].requests_per_second).toBe(picture.requests_per_second);
    expect(picture.p50_ms).toBeGreaterThan(0);
    expect(picture.p99_ms).toBeGreaterThanOrEqual(picture.p50_ms);
    expect(picture.memory_bytes).toBeGreaterThan(1e7);
    expect(picture.memory_limit_bytes).toBeGreaterThan(picture.memory_bytes);
    expect(picture.steps.map(({ step }: { readonly step: string }) => step)).toEqual(
      'receive match decode resolve preprocess queue run encode reply'.split(' '),
    );
  });

  it('prints plain text where nobody watches', async () => {
    const url = await serve();
    const stop = keepAsking(url);
    const { code, stdout } = await runCommand(['top', url, '--once', '--interval', '1']);
    await stop();
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001b');
    expect(stdout.split('\n')[0]).toMatch(new RegExp(`^${url}, Ternion \\d+\\.\\d+\\.\\d+, [\\d.]+ s$`));
    expect(stdout).toMatch(/^[\d.]+ requests\/s, 0\.0 errors\/s, \d+ in progress, p50 [\d.]+ ms,/m);
    expect(stdout).toMatch(/^iris\/2 +[\d.]+ +0\.0 +[\d.]+ ms +[\d.]+ ms +[\d.]+ ms$/m);
    expect(stdout).toMatch(/^run +[\d.]+ ms$/m);
  });

  it('does not count its own request among those in progress', async () => {
    const url = await serve();
    const { stdout } = await runCommand(['top', url, '--once', '--interval', '1', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ requests_per_second: 0, in_progress: 0 });
  });

  it('prints one picture after the other until it is stopped', async () => {
    const url = await serve();
    const running = startCommand(['top', url, '--interval', '1', '--json']);
    await running.seen(/\{.*\}\n\{.*\}\n/);
    running.process.kill('SIGINT');
    await running.outcome;
  });

  it('sends the token of the server', async () => {
    const url = await serve({ METRICS_TOKEN: 'a-long-secret-token' });
    const refused = await runCommand(['top', url, '--once', '--interval', '1']);
    expect(refused).toMatchObject({
      code: 1,
      stderr: `${url}/metrics needs a token: set METRICS_TOKEN to that of the server.\n`,
    });
    const allowed = startCommand(['top', url, '--once', '--interval', '1'], '', {
      METRICS_TOKEN: 'a-long-secret-token',
    });
    expect((await allowed.outcome).code).toBe(0);
  });

  it('says what is missing where a server gives its metrics under other names alone', async () => {
    const url = await serve({ METRICS: 'triton' });
    expect(await runCommand(['top', url, '--once'])).toMatchObject({
      code: 1,
      stderr: `${url}/metrics gives no metrics of Ternion; it answered with the status 200. If it is Ternion, add "ternion" to its METRICS.\n`,
    });
  });

  it('says in one line that a server has no TLS', async () => {
    const url = (await serve()).replace('http:', 'https:');
    const { code, stderr } = await runCommand(['top', url, '--once']);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^${url}/metrics does not answer: .*wrong version number.*\\.\n$`));
  });

  it('says what is wrong with an address', async () => {
    const port = await findFreePort();
    expect(await runCommand(['top', `http://127.0.0.1:${port}`, '--once'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`http://127.0.0.1:${port}/metrics does not answer: `),
    });
    expect(await runCommand(['top', 'localhost:8080'])).toMatchObject({
      code: 2,
      stderr: '"localhost:8080" must be the URL of a server, such as http://localhost:8080.\n',
    });
    const url = await answerWith((response) => response.end('hello'));
    expect(await runCommand(['top', url, '--once'])).toMatchObject({
      code: 1,
      stderr: `${url}/metrics gives no metrics of Ternion; it answered with the status 200.\n`,
    });
  });

  it('prints no line that the server made up', async () => {
    const url = await answerWith((response) =>
      response.end(
        'ternion_info{version="1\\n9 errors/s\u001b[31m"} 1\nternion_requests_total{model="a\\nb"} 1\n',
      ),
    );
    const { code, stdout } = await runCommand(['top', url, '--once', '--interval', '1']);
    expect(code).toBe(0);
    expect(stdout).toContain(`${url}, Ternion 1\\u000a9 errors/s\\u001b[31m, `);
    expect(stdout).toMatch(/^a\\u000ab\//m);
    expect(stdout.split('\n')).toHaveLength(7);
  });

  it('ends when an answer does not end', async () => {
    const chunk = '# nothing\n'.repeat(100_000);
    const url = await answerWith((response) => {
      const more = () => void response.write(chunk, () => response.destroyed || more());
      more();
    });
    expect(await runCommand(['top', url, '--once'])).toMatchObject({
      code: 1,
      stderr: `${url}/metrics answers with more than 67108864 bytes.\n`,
    });
  });
});
