import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { post } from '../contracts/exchanges.ts';
import {
  type ChildHost,
  findFreePort,
  openAzureBundle,
  openFunctionsFramework,
} from '../support/hosts/child-process.ts';
import { openLambdaBundle } from '../support/hosts/lambda-bundle.ts';
import { sendOverHttp } from '../support/hosts/test-host.ts';
import { startCommand, startNode } from '../support/run-command.ts';
import { RUNNABLE } from '../support/targets.ts';

const REQUEST = post('/models/iris/predict', { features: [5.1, 3.5, 1.4, 0.2] });

interface User {
  readonly environment: Readonly<Record<string, string>>;
  /** What is in the home and in the temporary folder, at any depth. */
  files(): Promise<readonly string[]>;
}

/** Folders that nobody has used yet. ONNX Runtime would write to both. */
async function createUser(): Promise<User> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-user-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [home, temporary] = [join(folder, 'home'), join(folder, 'tmp')];
  await mkdir(home);
  await mkdir(temporary);
  return {
    environment: {
      HOME: home,
      TMPDIR: temporary,
      // Sessions with more than one have threads of their own.
      INTRA_OP_THREADS: '1',
      // A base image may set it.
      ORT_DISABLE_TELEMETRY: '0',
    },
    files: async () =>
      (await Promise.all([home, temporary].map((each) => readdir(each, { recursive: true })))).flat(),
  };
}

/** The threads of a process that Node has not named, including its first one; undefined where they cannot be listed. */
async function countUnnamedThreads(pid: number | undefined): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const folder = `/proc/${pid}/task`;
  const ids = await readdir(folder);
  const names = await Promise.all(ids.map((id) => readFile(join(folder, id, 'comm'), 'utf8')));
  const own = await readFile(join(folder, String(pid), 'comm'), 'utf8');
  return names.filter((name) => name === own).length;
}

const BUNDLES: Readonly<
  Record<string, (target: string, environment: User['environment']) => Promise<ChildHost>>
> = {
  aws: (target, environment) => openLambdaBundle(target, 'http-api', environment),
  gcp: openFunctionsFramework,
  azure: openAzureBundle,
  local: openFunctionsFramework,
};

describe('a server leaves nothing in the home and the temporary folder of its user', () => {
  for (const { name } of RUNNABLE) {
    const [cloud = ''] = name.split('-');
    const open = BUNDLES[cloud];
    if (!open) continue;
    it(`dist/${name}`, async () => {
      const user = await createUser();
      const host = await open(name, user.environment);
      onTestFinished(() => host.close());
      expect(JSON.parse((await host.send(REQUEST)).body.toString())).toMatchObject({ prediction: 'setosa' });
      expect([undefined, 1]).toContain(await countUnnamedThreads(host.process.pid));
      await host.close();
      expect(await user.files()).toEqual([]);
    });
  }

  it('npm start', async () => {
    const user = await createUser();
    const port = await findFreePort();
    const start = startNode(['dist/local/index.mjs'], { ...user.environment, PORT: String(port) });
    onTestFinished(() => void start.process.kill('SIGTERM'));
    await start.seen(/models\/iris\/predict/);
    expect(JSON.parse((await sendOverHttp(port, REQUEST)).body.toString())).toMatchObject({
      prediction: 'setosa',
    });
    start.process.kill('SIGINT');
    expect(await start.outcome).toMatchObject({ code: 0 });
    expect(await user.files()).toEqual([]);
  });

  it('ternion serve', async () => {
    const user = await createUser();
    const serve = startCommand(['serve', '--port', '0', '--grace', '0'], '', user.environment);
    onTestFinished(() => void serve.process.kill('SIGKILL'));
    const url = await serve.seen(/http:\/\/localhost:\d+/);
    const { body } = await sendOverHttp(Number(new URL(url).port), REQUEST);
    expect(JSON.parse(body.toString())).toMatchObject({ prediction: 'setosa' });
    expect([undefined, 1]).toContain(await countUnnamedThreads(serve.process.pid));
    serve.process.kill('SIGTERM');
    expect(await serve.outcome).toMatchObject({ code: 0 });
    expect(await user.files()).toEqual([]);
  });
});

describe('a command leaves nothing in the home and the temporary folder of its user', () => {
  const repository = join(tmpdir(), `ternion-leftovers-${process.pid}`);

  it.each([
    [['predict', 'iris', '[5.1, 3.5, 1.4, 0.2]']],
    [['inspect', 'iris/1']],
    [['batch', 'iris', 'test/fixtures/flowers.csv', join(repository, 'species.csv')]],
    [['compare', 'iris/1', 'iris/2', '--data', 'test/fixtures/flowers.csv']],
    [['add', 'models/iris/2', '--repository', repository, '--name', 'iris', '--optimize']],
  ])('ternion %j', async (args) => {
    await mkdir(repository, { recursive: true });
    onTestFinished(() => rm(repository, { recursive: true, force: true }));
    const user = await createUser();
    const { code, stderr } = await startCommand(args, '', user.environment).outcome;
    expect([code, stderr]).toEqual([0, '']);
    expect(await user.files()).toEqual([]);
  });
});

describe('the telemetry of ONNX Runtime', () => {
  // The runtime is loaded and makes no session, so that nothing is sent.
  const SCRIPT = `
    import { openHost } from './functions/cli/open-host.ts';
    import { loadRuntime } from './shared/runtime/session.ts';
    openHost({ repository: 'models' });
    await loadRuntime();
    console.log(process.env.ORT_DISABLE_TELEMETRY);`;

  it.each([
    [{}, '1'],
    [{ ORT_DISABLE_TELEMETRY: '0' }, '1'],
    [{ TERNION_RUNTIME_TELEMETRY: 'false', ORT_DISABLE_TELEMETRY: '0' }, '1'],
    [{ TERNION_RUNTIME_TELEMETRY: 'true' }, 'undefined'],
    [{ TERNION_RUNTIME_TELEMETRY: 'true', ORT_DISABLE_TELEMETRY: '0' }, '0'],
    [{ TERNION_RUNTIME_TELEMETRY: 'true', ORT_DISABLE_TELEMETRY: '1' }, '1'],
  ])('with %j has ORT_DISABLE_TELEMETRY=%s', async (environment, value) => {
    const { code, stdout } = await startNode(['--input-type=module', '--eval', SCRIPT], environment).outcome;
    expect([code, stdout]).toEqual([0, `${value}\n`]);
  });
});
