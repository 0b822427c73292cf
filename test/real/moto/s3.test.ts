import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { post } from '../../contracts/exchanges.ts';
import { sendOverHttp } from '../../support/hosts/test-host.ts';
import { PROJECT } from '../../support/project.ts';
import { startCommand, temporaryFolder } from '../../support/run-command.ts';
import { connect, createBucket, describeBuckets } from '../describe-s3.ts';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart } from './counterpart.ts';

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

let server: RunningServer;
let client: S3Client;

beforeAll(async () => {
  server = await startServer(counterpart);
  client = connect(connection());
});
afterAll(async () => {
  client?.destroy();
  await server?.close();
});

function connection() {
  return {
    endpoint: server.url,
    region: 'eu-west-1',
    forcePathStyle: true,
    credentials: CREDENTIALS,
  } as const;
}

describeBuckets('moto', connection);

describe('a repository in moto', () => {
  it('lists more files than one answer of S3 has', async () => {
    const bucket = await createBucket(client);
    const paths = Array.from({ length: 1_005 }, (_, index) => `many/1/${String(index).padStart(4, '0')}`);
    const left = [...paths];
    const upload = async () => {
      for (let path = left.pop(); path !== undefined; path = left.pop())
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: path, Body: Buffer.alloc(0) }));
    };
    await Promise.all(Array.from({ length: 8 }, upload));
    const files = await openS3Store(`s3://${bucket}`, connection()).list('many');
    expect(files.map(({ path }) => path)).toEqual(paths);
  });

  it('gets models by "ternion add", and of several at once each gets a version of its own', async () => {
    const { url, run, store } = await openRepository();
    const added = await Promise.all(
      ['models/iris/1', 'models/iris/2', 'models/digits/1'].map((folder) =>
        run('add', join(PROJECT, folder), '-r', url, '-n', 'mine', '--json'),
      ),
    );
    expect(added.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
      [0, ''],
    ]);
    const versions = added.map(({ stdout }) => JSON.parse(stdout).version);
    expect(versions.sort()).toEqual(['1', '2', '3']);
    const graphs = (await store.list('mine')).filter(({ path }) => path.endsWith('/model.onnx'));
    expect(new Set(graphs.map(({ sizeBytes }) => sizeBytes)).size).toBe(3);
  });

  it('never takes a version twice', async () => {
    const { run } = await openRepository();
    const args = ['add', join(PROJECT, 'models/iris/2'), '-n', 'iris', '--version', '7'];
    expect((await run(...args)).code).toBe(0);
    expect(await run(...args)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has a version 7 already'),
    });
  });

  it('is served by "ternion serve", each file with the bytes that were added', async () => {
    const { run, environment, store } = await openRepository();
    await run('add', join(PROJECT, 'models/iris/2'), '-n', 'iris');
    await run('add', join(PROJECT, 'models/digits/1'), '-n', 'digits');
    const serve = startCommand(['serve', '--port', '0', '--grace', '0'], '', environment);
    onTestFinished(() => void serve.process.kill('SIGKILL'));
    const port = Number(new URL(await serve.seen(/http:\/\/localhost:\d+/)).port);
    const ask = async (path: string, body: object) =>
      JSON.parse((await sendOverHttp(port, post(path, body))).body.toString());
    expect(await ask('/models/iris/predict', { features: [5.1, 3.5, 1.4, 0.2] })).toMatchObject({
      prediction: 'setosa',
      model_version: '1',
    });
    const png = await readFile(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
    expect(await ask('/models/digits/predict', { image: png.toString('base64') })).toMatchObject({
      prediction: '7',
    });
    const sizes = (await store.list('iris/1')).map(({ path, sizeBytes }) => [path, sizeBytes]);
    const original = await readFile(join(PROJECT, 'models/iris/2/model.onnx'));
    expect(sizes).toContainEqual(['iris/1/model.onnx', original.length]);
    serve.process.kill('SIGTERM');
    expect(await serve.outcome).toMatchObject({ code: 0 });
  });
});

/** An empty repository below a prefix, and the command of this project. */
async function openRepository() {
  const url = `s3://${await createBucket(client)}/prod`;
  const environment = {
    MODEL_CACHE_FOLDER: await temporaryFolder(),
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL_S3: server.url,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    INTRA_OP_THREADS: '1',
    MODEL_REPOSITORY: url,
  };
  return {
    url,
    environment,
    store: openS3Store(url, connection()),
    run: (...args: readonly string[]) => startCommand(args, '', environment).outcome,
  };
}
