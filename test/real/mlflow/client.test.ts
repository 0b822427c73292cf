import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBlocks } from '../../support/documented-commands.ts';
import { PROJECT } from '../../support/project.ts';
import { type Running, startCommand, temporaryFolder } from '../../support/run-command.ts';
import { connect, createBucket } from '../describe-s3.ts';
import { folderOf } from '../installation.ts';
import { counterpart as moto } from '../moto/counterpart.ts';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart } from './counterpart.ts';

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
const KEY = 'the admin key';

let store: RunningServer;
let client: S3Client;
let bucket: string;
let source: string;

beforeAll(async () => {
  store = await startServer(moto);
  client = connect({
    endpoint: store.url,
    region: 'eu-west-1',
    forcePathStyle: true,
    credentials: CREDENTIALS,
  });
  bucket = await createBucket(client);
  source = `s3://${bucket}/runs/1/artifacts/model`;
  await putModel(bucket, 'runs/1/artifacts/model');
});
afterAll(async () => {
  client?.destroy();
  await store?.close();
});

async function putModel(to: string, folder: string): Promise<void> {
  for (const name of ['model.onnx', 'model.json']) {
    const Body = await readFile(join(PROJECT, 'models/iris/1', name));
    await client.send(new PutObjectCommand({ Bucket: to, Key: `${folder}/${name}`, Body }));
  }
}

/** What each call of the script gave. */
type Results = readonly (readonly [title: string, result: unknown])[];

async function run(script: string, url: string, token: string): Promise<string> {
  const args = [join(import.meta.dirname, script), url, source];
  return await runPython(args, { MLFLOW_TRACKING_TOKEN: token });
}

async function runPython(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  const python = join(folderOf(counterpart), 'bin/python');
  const environment = {
    ...process.env,
    ...variables,
    MLFLOW_DISABLE_TELEMETRY: 'true',
    PYTHONWARNINGS: 'ignore',
    // MLflow answers some mistakes with 500, which its client would try again for minutes.
    MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
  };
  return (await promisify(execFile)(python, args, { env: environment })).stdout;
}

async function drive(url: string, token: string): Promise<Results> {
  return JSON.parse(await run('drive_registry.py', url, token));
}

async function serve(
  repository: string,
  sources = `s3://${bucket}/runs/`,
): Promise<{ readonly url: string; readonly server: Running }> {
  const server = startCommand(['serve', '--port', '0', '--grace', '0', '-r', repository], '', {
    ADMIN_KEY: KEY,
    REGISTRY_SOURCES: sources,
    MODEL_CACHE_FOLDER: await temporaryFolder(),
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL_S3: store.url,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    LOG_LEVEL: 'error',
  });
  const url = (await server.seen(/http:\/\/localhost:\d+/)).replace('localhost', '127.0.0.1');
  return { url, server };
}

describe('MlflowClient', () => {
  let expected: Results;
  beforeAll(async () => {
    const server = await startServer(counterpart);
    expected = await drive(server.url, 'any');
    await server.close();
  }, 300_000);

  it.each(['a folder', 'S3'])(
    'gets what MLflow answers from a registry in %s',
    async (place) => {
      const folder = await temporaryFolder();
      const { url, server } = await serve(place === 'S3' ? `s3://${bucket}/prod` : folder);
      const results = await drive(url, KEY);
      server.process.kill('SIGKILL');
      await server.outcome;
      expect(expected.length).toBe(145);
      expect(results).toEqual(expected);
    },
    300_000,
  );

  it('registers a model as docs/mlflow-registry.md says it', async () => {
    const page = await readFile(join(PROJECT, 'docs/mlflow-registry.md'), 'utf8');
    const [script = '', ...others] = readBlocks(page, 'python');
    expect(others).toEqual([]);
    const [, bucketName = '', folder = ''] = /"s3:\/\/([^/]+)\/([^"]+)"/.exec(script) ?? [];
    const [, sources = ''] = /^export REGISTRY_SOURCES=(.+)$/m.exec(page) ?? [];
    const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' } as const;
    await client.send(new CreateBucketCommand({ Bucket: bucketName, CreateBucketConfiguration }));
    await putModel(bucketName, folder);
    const { url, server } = await serve(await temporaryFolder(), sources);
    await runPython(['-c', script], { MLFLOW_TRACKING_URI: url, MLFLOW_TRACKING_TOKEN: KEY });
    const answer = await fetch(`${url}/api/2.0/mlflow/registered-models/get?name=iris`, {
      headers: { authorization: `Bearer ${KEY}` },
    });
    expect(await answer.json()).toMatchObject({
      registered_model: {
        name: 'iris',
        tags: [{ key: 'team', value: 'flowers' }],
        aliases: [{ alias: 'champion', version: '1' }],
        latest_versions: [
          { version: '1', status: 'READY', run_id: '4711', source: `s3://${bucketName}/${folder}` },
        ],
      },
    });
    const predicted = await fetch(`${url}/models/iris/versions/champion/predict`, {
      method: 'POST',
      body: '{"features": [5.1, 3.5, 1.4, 0.2]}',
    });
    expect(await predicted.json()).toMatchObject({ prediction: 'setosa', model_version: '1' });
    server.process.kill('SIGKILL');
    await server.outcome;
  });

  it('gets what only a server that serves the models can say', async () => {
    const folder = await temporaryFolder();
    const { url, server } = await serve(folder);
    const results = Object.fromEntries(JSON.parse(await run('refuse_registry.py', url, KEY)));
    server.process.kill('SIGKILL');
    await server.outcome;
    expect(results).toEqual({
      'wrong token': ['UNAUTHENTICATED', expect.stringContaining('MLFLOW_TRACKING_TOKEN')],
      'failed version': [
        'FAILED_REGISTRATION',
        'The source is neither in the model repository of this server nor below one of its REGISTRY_SOURCES: expected models:/name/version, models:/name@alias, or the URL of a folder with an ONNX model such as s3://bucket/model.',
      ],
      'missing version': ['FAILED_REGISTRATION', 'There are no files at the source.'],
      'awaited version': expect.stringContaining('FAILED_REGISTRATION'),
      'download uri': `file://${folder}/m/1`,
      'delete live': ['BAD_REQUEST', expect.stringContaining('Version 1 of model "m" is live')],
      'delete aliased': ['BAD_REQUEST', expect.stringContaining('has the alias champion')],
      'delete model': ['BAD_REQUEST', expect.stringContaining('cannot be deleted')],
      'predictions of 1': 200,
    });
  });
});
