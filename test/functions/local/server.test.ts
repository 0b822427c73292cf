import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeHttpHost } from '../../contracts/http-host.ts';
import { canConnect, OTHER_ADDRESS } from '../../support/hosts/can-connect.ts';
import { findFreePort, openFunctionsFramework, openLocalServer } from '../../support/hosts/child-process.ts';
import { PROJECT } from '../../support/project.ts';
import { type Running, startNode, temporaryFolder } from '../../support/run-command.ts';
import { writeFiles } from '../../support/temporary-folder.ts';

describeHttpHost('the local bundle run by itself', () => openLocalServer());

async function start(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ running: Running; port: number }> {
  const port = await findFreePort();
  const running = startNode(['dist/local/index.mjs', ...args], { PORT: String(port), ...environment });
  onTestFinished(() => void running.process.kill('SIGKILL'));
  return { running, port };
}

describe('npm start', () => {
  it('listens on both addresses of localhost, and on no other', async () => {
    const { running, port } = await start([]);
    expect(await running.seen(/Ternion serves .*/)).toBe(
      `Ternion serves 2 models at http://localhost:${port}`,
    );
    expect(await canConnect(port, '127.0.0.1')).toBe(true);
    expect(await canConnect(port, '::1')).toBe(true);
    expect(await canConnect(port, OTHER_ADDRESS)).toBe(false);
    running.process.kill('SIGINT');
    expect(await running.outcome).toMatchObject({ code: 0 });
  });

  it('says how to call three models, without loading them', async () => {
    const repository = await temporaryFolder();
    const model = await readFile(join(PROJECT, 'models/iris/2/model.onnx'));
    await writeFiles(repository, {
      'a/1/model.onnx': model,
      'b/1/model.onnx': model,
      'b/1/model.json': '{}',
      'c/1/model.onnx': model,
      'c/1/model.json': '{"task": "tabular-classification"}',
      'c/1/reference.json': '{"cases": [{"request": {"features": [1]}, "expected": {"prediction": "x"}}]}',
    });
    const { running, port } = await start([], { MODEL_REPOSITORY: repository });
    const url = `http://localhost:${port}`;
    await running.seen(/predict.*\n/);
    running.process.kill('SIGINT');
    const { stdout } = await running.outcome;
    const [a, b = '', c] = stdout.slice(stdout.indexOf('Ternion serves 3')).split('\n\n').slice(1);
    expect(a).toBe(`a (versions 1; live: 1)\n  curl -s ${url}/models/a`);
    expect(b).toMatch(/^b \(versions 1; live: 1\): its model\.json .*task/);
    const call = `curl -s ${url}/models/c/predict -H 'content-type: application/json' -d '{"features":[1]}'`;
    expect(c).toBe(`c (versions 1; live: 1): tabular-classification\n  ${call}\n`);
    expect(stdout).not.toContain('model loaded');
  });

  it('shows the call for the first of many models', async () => {
    const repository = await temporaryFolder();
    const names = Array.from({ length: 25 }, (_, index) => `m${index + 10}`);
    await writeFiles(repository, Object.fromEntries(names.map((name) => [`${name}/1/model.onnx`, ''])));
    const { running, port } = await start([], { MODEL_REPOSITORY: repository });
    await running.seen(/and 5 more\n/);
    running.process.kill('SIGINT');
    const { code, stdout } = await running.outcome;
    expect([code, stdout.match(/curl .*/g)]).toEqual([0, [`curl -s http://localhost:${port}/models/m10`]]);
    expect(stdout.match(/^m\d\d /gm)).toHaveLength(20);
  });

  it.each<[string, readonly string[], Readonly<Record<string, string>>, RegExp]>([
    [
      'only what fails, as a sentence',
      [],
      {},
      /^error: model failed to load \(model bad\/1\): its model\.onnx [^{]*$/,
    ],
    [
      'each request as JSON with --log',
      ['--log'],
      {},
      /^\{.*"message":"model loaded".*\}\n.*"message":"request".*"model":"good"/s,
    ],
    [
      'what LOG_LEVEL says',
      [],
      { LOG_LEVEL: 'error' },
      /^\{.*"level":"error","message":"model failed to load"/,
    ],
    ['nothing where LOG_LEVEL says so', [], { LOG_LEVEL: 'silent' }, /^$/],
  ])('logs %s', async (_, args, environment, log) => {
    const repository = await temporaryFolder();
    const model = await readFile(join(PROJECT, 'models/iris/2/model.onnx'));
    await writeFiles(repository, { 'bad/1/model.onnx': 'no graph', 'good/1/model.onnx': model });
    const { running, port } = await start(args, { MODEL_REPOSITORY: repository, ...environment });
    await running.seen(/curl .*models\/good\n/);
    for (const name of ['good', 'bad']) {
      const body = JSON.stringify({ features: [1, 2, 3, 4] });
      await fetch(`http://127.0.0.1:${port}/models/${name}/predict`, { method: 'POST', body });
    }
    running.process.kill('SIGINT');
    const { stdout } = await running.outcome;
    expect(stdout.slice(stdout.lastIndexOf('models/good\n') + 'models/good\n'.length)).toMatch(log);
  });

  it('takes requests for five seconds after SIGTERM, as ternion serve does', async () => {
    const { running, port } = await start([]);
    await running.seen(/Ternion serves .*/);
    running.process.kill('SIGTERM');
    const answers = [];
    for (const pauseMs of [200, 4_000]) {
      await wait(pauseMs);
      const answer = await fetch(`http://127.0.0.1:${port}/health`);
      answers.push([answer.status, answer.headers.get('connection')]);
    }
    expect(answers).toEqual([
      [200, 'close'],
      [200, 'close'],
    ]);
    expect((await running.outcome).code).toBe(0);
  });

  it.each([
    ['nowhere', /^MODEL_REPOSITORY="nowhere": \/.*\/nowhere does not exist\.\n$/],
    [
      'README.md',
      /^MODEL_REPOSITORY="README\.md": The model repository \/.*\/README\.md is not a folder\.\n$/,
    ],
  ])('ends with one sentence if %s is not a folder of models', async (path, sentence) => {
    const { running } = await start([], { MODEL_REPOSITORY: path });
    const { code, stdout, stderr } = await running.outcome;
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(sentence)]);
  });

  it.each(['0.0.0.0', OTHER_ADDRESS])('listens on %s when it is asked to', async (address) => {
    const { running, port } = await start(['--host', address]);
    const name = address === '0.0.0.0' ? 'localhost' : address;
    expect(await running.seen(/Ternion serves .*/)).toBe(`Ternion serves 2 models at http://${name}:${port}`);
    expect(await canConnect(port, OTHER_ADDRESS)).toBe(true);
    expect(await canConnect(port, '::1')).toBe(false);
    running.process.kill('SIGINT');
    expect(await running.outcome).toMatchObject({ code: 0 });
  });

  it.each([
    [['--hots', '0.0.0.0'], /^Unknown option '--hots'/],
    [['--host', 'no.such.host.invalid'], /^no\.such\.host\.invalid:\d+ cannot be used/m],
  ])('does not start with %j', async (args, text) => {
    const { code, stdout, stderr } = await (await start(args)).running.outcome;
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(text)]);
  });
});

describe('the function in the functions framework', () => {
  it('is reached on all addresses, as a container must be', async () => {
    const host = await openFunctionsFramework('local');
    onTestFinished(() => host.close());
    expect(await canConnect(host.port, OTHER_ADDRESS)).toBe(true);
    expect(await canConnect(host.port, '::1')).toBe(true);
  });
});
