import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openRemoteModel } from '../../../../functions/cli/sources/download-model.ts';
import { locateInMlflow } from '../../../../functions/cli/sources/mlflow.ts';
import { type MlflowAddress, parseMlflowAddress } from '../../../../functions/cli/sources/mlflow-address.ts';
import {
  LOGGED,
  type MlflowServer,
  type MlflowServerOptions,
  RUN,
  startMlflowServer,
} from '../../../support/mlflow-server.ts';
import { PROJECT } from '../../../support/project.ts';
import { type Outcome, startCommand, temporaryFolder } from '../../../support/run-command.ts';
import { startS3Server } from '../../../support/s3-server.ts';
import { readFolder } from '../../../support/store-faults.ts';

const SAVED = join(PROJECT, 'test/fixtures/formats/mlflow/columns');
const FILES = readFolder(SAVED);

interface Started {
  readonly mlflow: MlflowServer;
  readonly folder: string;
  readonly repository: string;
  add(...args: readonly string[]): Promise<Outcome>;
  lineage(version: string): Promise<unknown>;
}

async function start(
  options: Partial<MlflowServerOptions> = {},
  more: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const mlflow = await startMlflowServer({ files: FILES, ...options });
  onTestFinished(() => mlflow.close());
  const folder = await temporaryFolder();
  const repository = join(folder, 'repository');
  const environment = { MLFLOW_TRACKING_URI: mlflow.url, MODEL_CACHE_FOLDER: join(folder, 'cache'), ...more };
  return {
    mlflow,
    folder,
    repository,
    add: (...args) => startCommand(['add', ...args, '-r', repository], '', environment).outcome,
    lineage: async (version) => JSON.parse(await readFile(join(repository, version, 'lineage.json'), 'utf8')),
  };
}

describe('the address of a model in MLflow', () => {
  it.each<[string, MlflowAddress]>([
    ['models:/iris/3', { is: 'version', name: 'iris', version: '3' }],
    ['models:/my iris@champion', { is: 'alias', name: 'my iris', alias: 'champion' }],
    ['models:/iris/Latest', { is: 'latest', name: 'iris', stage: undefined }],
    ['models:/iris/Production', { is: 'latest', name: 'iris', stage: 'Production' }],
    [`models:/${LOGGED}`, { is: 'logged', id: LOGGED }],
    ['runs:/abc/export/model/', { is: 'run', run: 'abc', path: 'export/model' }],
  ])('is read: %s', (address, expected) => {
    expect(parseMlflowAddress(address)).toEqual(expected);
  });

  it.each([
    'models:/',
    'models:/iris',
    'models:/iris/1/x',
    'models:/iris@',
    'models://host/iris/1',
    'runs:/abc',
    'runs:/abc/../x',
  ])('is refused if it is another one: %s', (address) => {
    expect(() => parseMlflowAddress(address)).toThrow(
      /is not the address of a model; expected models:\/name\/version/,
    );
  });
});

describe('ternion add of a model in MLflow', () => {
  it('publishes the same files as the folder that MLflow saved, with its run, version and server', async () => {
    const { mlflow, repository, folder, add, lineage } = await start();
    const { code, stdout, stderr } = await add('models:/iris@champion');
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^downloads \d+ files \([\d.]+ kB\) of version 2 of "iris"\n$/),
    ]);
    expect(stdout).toMatch(/^iris\/1 is in /);
    await cp(SAVED, join(folder, 'iris'), { recursive: true });
    const local = join(folder, 'local');
    await startCommand(['add', join(folder, 'iris'), '-r', local, '--no-lineage']).outcome;
    const published = readFolder(join(repository, 'iris/1'));
    const expected = readFolder(join(local, 'iris/1'));
    for (const files of [published, expected]) {
      delete files['lineage.json'];
      delete files['files.json'];
    }
    expect(published).toEqual(expected);
    const run = /^run_id: (\w+)$/m.exec(String(FILES.MLmodel))?.[1];
    const uuid = /^model_uuid: ([\w-]+)$/m.exec(String(FILES.MLmodel))?.[1];
    expect(run ?? uuid).toBeDefined();
    expect(await lineage('iris/1')).toEqual({
      source: 'models:/iris@champion',
      mlflow: {
        ...(uuid && { modelUuid: uuid }),
        server: mlflow.url,
        name: 'iris',
        version: '2',
        runId: RUN,
      },
    });
  });

  it.each([
    ['models:/iris/1', 'iris/1', { name: 'iris', version: '1' }],
    ['models:/iris/latest', 'iris/1', { name: 'iris', version: '10' }],
    ['models:/iris/Staging', 'iris/1', { name: 'iris', version: '2' }],
    [`models:/${LOGGED}`, 'flowers/1', { modelUuid: LOGGED }],
    // A model of MLflow 3 is not among the artifacts of its run.
    [`runs:/${RUN}/flowers`, 'flowers/1', {}],
  ])('finds %s', async (address, version, expected) => {
    const { add, lineage } = await start();
    const { code, stderr } = await add(address);
    expect(code, stderr).toBe(0);
    expect(await lineage(version)).toMatchObject({ source: address, mlflow: { ...expected, runId: RUN } });
  });

  it.each([
    [
      'models:/rose/1',
      1,
      'version 1 of "rose" does not exist on {host}. MLflow: Registered Model with name=rose not found',
    ],
    [
      'models:/iris/7',
      1,
      'version 7 of "iris" does not exist on {host}. MLflow: Model Version (name=iris, version=7) not found',
    ],
    [
      'models:/iris@best',
      1,
      'alias "best" of "iris" does not exist on {host}. MLflow: Registered model alias best not found.',
    ],
    ['models:/iris/Archived', 1, '"iris" has no version in stage "Archived" on {host}.'],
    ['runs:/abc/model', 1, 'run abc does not exist on {host}. MLflow: Run with id=abc not found'],
    [`runs:/${RUN}/other`, 1, `other of run ${RUN} has no files on {host}.`],
  ])('says why %s is not there', async (address, code, expected) => {
    const { mlflow, add } = await start();
    const outcome = await add(address);
    expect([outcome.code, outcome.stderr]).toEqual([
      code,
      `${expected.replace('{host}', new URL(mlflow.url).host)}\n`,
    ]);
  });

  it.each<[string, Partial<MlflowServerOptions>, Record<string, string>, string]>([
    [
      'no token',
      { authorization: 'Bearer secret' },
      {},
      '{host} does not give version 1 of "iris" (status 401): set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.',
    ],
    [
      'no address',
      {},
      { MLFLOW_TRACKING_URI: '' },
      'Set MLFLOW_TRACKING_URI to the address of the MLflow server, such as http://localhost:5000.',
    ],
    [
      'an address of another kind',
      {},
      { MLFLOW_TRACKING_URI: 'databricks' },
      'MLFLOW_TRACKING_URI must be the address of an MLflow server, of https:// or http://.',
    ],
    [
      'a version that is not ready',
      { status: 'PENDING_REGISTRATION' },
      {},
      'version 1 of "iris" is not ready on {host}: PENDING_REGISTRATION.',
    ],
    [
      'files that are not served',
      { servesArtifacts: false },
      {},
      '{host} does not give files of models: it was started with --no-serve-artifacts.',
    ],
    [
      'files on another server',
      { artifactUri: 'mlflow-artifacts://other.example:5000/0/x' },
      {},
      'The files of version 1 of "iris" are on other.example:5000, which is not the MLflow server {host}.',
    ],
    [
      'files at an address of another kind',
      { artifactUri: 'dbfs:/x?token=secret' },
      {},
      'The files of version 1 of "iris" are at an address of dbfs:; files can be with MLflow itself (mlflow-artifacts:), at s3://, gs:// or wasbs://, or in a folder of this machine.',
    ],
    [
      'a folder that is not there',
      { artifactUri: 'file:///nowhere/mlruns' },
      {},
      'The files of version 1 of "iris" are in a folder of the machine of {host}, and not served; name that folder on this machine, or start the server with --serve-artifacts.',
    ],
    [
      'a path out of the folder',
      { oddPath: '../../.ssh/config.json' },
      {},
      'version 1 of "iris" has the path "../../.ssh/config.json"; expected a path below its folder, of at most 600 bytes.',
    ],
  ])('refuses %s', async (_, options, more, expected) => {
    const { mlflow, add } = await start(options, more);
    const { stderr, code } = await add('models:/iris/1');
    expect([code === 0, stderr]).toEqual([
      false,
      `${expected.replaceAll('{host}', new URL(mlflow.url).host)}\n`,
    ]);
  });

  it.each([
    ['Bearer secret', { MLFLOW_TRACKING_TOKEN: 'secret' }],
    [
      `Basic ${Buffer.from('me:secret').toString('base64')}`,
      { MLFLOW_TRACKING_USERNAME: 'me', MLFLOW_TRACKING_PASSWORD: 'secret' },
    ],
  ])('proves who asks with %s', async (authorization, more) => {
    const { mlflow, add } = await start({ authorization }, more);
    expect((await add('models:/iris/1')).code).toBe(0);
    expect(new Set(mlflow.requests.map((request) => request.authorization))).toEqual(
      new Set([authorization]),
    );
  });

  it('takes the user of the address, which the lineage does not have', async () => {
    const { mlflow, repository, folder } = await start({
      authorization: `Basic ${Buffer.from('me:s%c').toString('base64')}`,
    });
    const environment = {
      MLFLOW_TRACKING_URI: mlflow.url.replace('//', '//me:s%25c@'),
      MODEL_CACHE_FOLDER: folder,
    };
    const { code, stderr } = await startCommand(['add', 'models:/iris/1', '-r', repository], '', environment)
      .outcome;
    expect(code, stderr).toBe(0);
    const lineage = await readFile(join(repository, 'iris/1/lineage.json'), 'utf8');
    expect(JSON.parse(lineage).mlflow.server).toBe(mlflow.url);
  });

  it('takes files from a bucket, and from a folder of this machine', async () => {
    const files = Object.fromEntries(Object.entries(FILES).map(([path, bytes]) => [`runs/1/${path}`, bytes]));
    const s3 = await startS3Server({ bucket: 'mlflow', files });
    onTestFinished(() => s3.close());
    const inBucket = await start(
      { artifactUri: 's3://mlflow/runs/1' },
      {
        AWS_REGION: s3.client.region,
        AWS_ENDPOINT_URL_S3: s3.client.endpoint,
        AWS_ACCESS_KEY_ID: s3.client.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3.client.credentials.secretAccessKey,
        S3_PATH_STYLE: 'true',
      },
    );
    const added = await inBucket.add('models:/iris/1');
    expect(added.code, added.stderr).toBe(0);
    const inFolder = await start({ artifactUri: SAVED });
    expect((await inFolder.add('models:/iris/1')).stdout).toMatch(/^iris\/1 is in /);
    expect(readFolder(join(inBucket.repository, 'iris/1'))['model.onnx']).toEqual(
      readFolder(join(inFolder.repository, 'iris/1'))['model.onnx'],
    );
  });
});

describe('a download from MLflow', () => {
  const LARGE = Buffer.alloc(300_000, 'weights of a model. ');
  const files = { 'model.onnx': LARGE };
  const isGraph = ({ path }: { readonly path: string }) => path.endsWith('/model.onnx');

  async function download({ mlflow, folder }: Started): Promise<Buffer> {
    process.env.MODEL_CACHE_FOLDER = join(folder, 'cache');
    onTestFinished(() => void delete process.env.MODEL_CACHE_FOLDER);
    const model = await locateInMlflow(
      'models:/iris/1',
      { MLFLOW_TRACKING_URI: mlflow.url },
      { silenceMs: 400 },
    );
    if ('path' in model) throw new Error('it is not remote');
    const source = await openRemoteModel(model, undefined, { note: () => undefined });
    onTestFinished(() => source.close(true));
    return await readFile(join(source.path, 'model.onnx'));
  }

  it.each([
    ['with parts of files', true],
    ['without parts of files', false],
  ])('continues where a connection was cut or went silent, on a server %s', async (_, hasParts) => {
    const started = await start({ files, hasParts });
    const { mlflow } = started;
    mlflow.addFault({ when: isGraph, times: 1, effect: { kind: 'cut', afterBytes: 150_000 } });
    mlflow.addFault({ when: isGraph, times: 1, effect: { kind: 'hang', afterBytes: 100_000 } });
    expect(await download(started)).toEqual(LARGE);
    const asked = mlflow.requests.filter(isGraph);
    expect(asked.map(({ range }) => range?.startsWith('bytes=') ?? false)).toEqual([false, true, true]);
    const sent = asked.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
    if (hasParts) expect(sent).toBeLessThan(LARGE.length + 2 * 65_536);
    else expect(sent).toBe(150_000 + 100_000 + LARGE.length);
  });

  it.each([
    ['with parts of files', true],
    ['without parts of files', false],
  ])('refuses a file that has changed in between, on a server %s', async (_, hasParts) => {
    const started = await start({ files, hasParts });
    const { mlflow } = started;
    const [path = ''] = mlflow.files.keys();
    mlflow.addFault({ when: isGraph, times: 1, effect: { kind: 'cut', afterBytes: 150_000 } });
    const other = Buffer.from(LARGE).fill('x', 0, 10);
    const change = { kind: 'run', action: () => mlflow.files.set(path, other) } as const;
    mlflow.addFault({ when: isGraph, times: 1, effect: change });
    await expect(download(started)).rejects.toThrow(
      'has changed while it was downloaded; run the command again.',
    );
  });
});
