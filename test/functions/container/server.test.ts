import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { post } from '../../contracts/exchanges.ts';
import { startBlobServer } from '../../support/blob-server.ts';
import { startGcsServer } from '../../support/gcs-server.ts';
import { canConnect, OTHER_ADDRESS } from '../../support/hosts/can-connect.ts';
import { findFreePort } from '../../support/hosts/child-process.ts';
import { sendOverHttp } from '../../support/hosts/test-host.ts';
import { MODELS } from '../../support/project.ts';
import { type Running, startNode, temporaryFolder } from '../../support/run-command.ts';
import { startS3Server } from '../../support/s3-server.ts';
import { TARGETS } from '../../support/targets.ts';

const REQUEST = { features: [5.1, 3.5, 1.4, 0.2] };

/** The one for this processor. */
const BUNDLE = `dist/${TARGETS.find(({ host, platform }) => host === 'container' && platform.endsWith(process.arch))?.name}`;

const S3 = {
  S3_PATH_STYLE: 'true',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'a',
  AWS_SECRET_ACCESS_KEY: 'b',
};

type Environment = Readonly<Record<string, string>>;

function start(environment: Environment, words: readonly string[] = []): Running {
  const running = startNode([`${BUNDLE}/index.mjs`, ...words], environment);
  onTestFinished(() => void running.process.kill('SIGKILL'));
  return running;
}

async function serve(environment: Environment): Promise<{ running: Running; port: number }> {
  const port = await findFreePort();
  const running = start({ PORT: String(port), MODEL_REPOSITORY: MODELS, ...environment });
  await running.seen(/"message":"the server listens".*\n/);
  return { running, port };
}

const checkHealth = (environment: Environment) =>
  startNode([`${BUNDLE}/healthcheck.mjs`], environment).outcome;

describe('the server of the container', () => {
  it('is reached on all addresses, and answers', async () => {
    const { running, port } = await serve({});
    for (const address of ['127.0.0.1', '::1', OTHER_ADDRESS])
      expect([address, await canConnect(port, address)]).toEqual([address, true]);
    const { body } = await sendOverHttp(port, post('/predict', REQUEST));
    expect(JSON.parse(body.toString())).toMatchObject({ prediction: 'setosa' });
    running.process.kill('SIGINT');
    const { code, stdout } = await running.outcome;
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([code, lines.filter(({ message }) => message === 'request')]).toEqual([
      0,
      [expect.objectContaining({ method: 'POST', path: '/predict', status: 200, model: 'iris' })],
    ]);
  });

  it('serves one model under the name in MODEL_NAME', async () => {
    const { port } = await serve({ MODEL_REPOSITORY: join(MODELS, 'iris/2'), MODEL_NAME: 'flowers' });
    const { body } = await sendOverHttp(
      port,
      post('/v1/models/flowers:predict', { instances: [[5, 3, 1, 0]] }),
    );
    expect(JSON.parse(body.toString()).predictions).toHaveLength(1);
  });

  it('reads models of a server with one name for all buckets', async () => {
    const s3 = await startS3Server({ bucket: 'models', folder: join(MODELS, 'iris/2') });
    onTestFinished(() => s3.close());
    const { port } = await serve({
      ...S3,
      MODEL_REPOSITORY: 's3://models',
      MODEL_CACHE_FOLDER: await temporaryFolder(),
      AWS_ENDPOINT_URL_S3: s3.url.replace('127.0.0.1', 'localhost'),
      AWS_REGION: s3.client.region,
      AWS_ACCESS_KEY_ID: s3.client.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.client.credentials.secretAccessKey,
    });
    const { body } = await sendOverHttp(port, post('/models/model/predict', REQUEST));
    expect(JSON.parse(body.toString())).toMatchObject({ prediction: 'setosa', model_version: '1' });
  });

  it('reads the model in the bucket that Vertex AI names, before it listens', async () => {
    const gcs = await startGcsServer({ folder: join(MODELS, 'iris/2'), isOpen: true });
    onTestFinished(() => gcs.close());
    const { port } = await serve({
      MODEL_REPOSITORY: '',
      AIP_STORAGE_URI: 'gs://models',
      AIP_PREDICT_ROUTE: '/predict',
      MODEL_CACHE_FOLDER: await temporaryFolder(),
      STORAGE_EMULATOR_HOST: gcs.url,
    });
    expect(gcs.requests.map(({ name }) => name)).toContain('model.onnx');
    const asked = gcs.requests.length;
    const { body } = await sendOverHttp(port, post('/predict', { instances: [REQUEST.features] }));
    const scores = [7.114, -1.969, -9.984].map((score): unknown => expect.closeTo(score, 3));
    expect(JSON.parse(body.toString()).predictions).toEqual([scores]);
    expect(gcs.requests.length).toBe(asked);
  });

  it('reads a model in a container of Azure', async () => {
    const blobs = await startBlobServer({ folder: join(MODELS, 'iris/2') });
    onTestFinished(() => blobs.close());
    const { port } = await serve({
      ...blobs.environment,
      MODEL_REPOSITORY: 'az://models',
      MODEL_CACHE_FOLDER: await temporaryFolder(),
    });
    const { body } = await sendOverHttp(port, post('/models/model/predict', REQUEST));
    expect(JSON.parse(body.toString())).toMatchObject({ prediction: 'setosa', model_version: '1' });
  });

  it('ends at a signal while it still loads', async () => {
    const s3 = await startS3Server({ bucket: 'models', files: {} });
    onTestFinished(() => s3.close());
    s3.addFault({ when: () => true, effect: { kind: 'hang' } });
    const running = start({
      ...S3,
      MODEL_REPOSITORY: 's3://models',
      AWS_ENDPOINT_URL_S3: s3.url,
    });
    await expect.poll(() => s3.requests.length).toBeGreaterThan(0);
    running.process.kill('SIGTERM');
    expect(await running.outcome).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it.each<[string, Environment, readonly string[], string]>([
    [
      'another argument than "serve"',
      {},
      ['train'],
      'The container has the arguments "train"; expected none, or "serve".\n',
    ],
    [
      'a folder that is not there',
      { MODEL_REPOSITORY: '/not-there' },
      [],
      'MODEL_REPOSITORY="/not-there": /not-there does not exist.\n',
    ],
    [
      'a variable with a mistake',
      { MODEL_REPOSITORY: MODELS, MAX_LINES: 'no' },
      [],
      'MAX_LINES="no" must be a whole number in digits.\n',
    ],
    [
      'a style of S3 that is not known',
      { MODEL_REPOSITORY: 's3://models', S3_PATH_STYLE: 'yes' },
      [],
      'S3_PATH_STYLE="yes" must be true or false.\n',
    ],
  ])('does not start with %s', async (_, environment, words, stderr) => {
    expect(await start(environment, words).outcome).toEqual({ code: 1, stdout: '', stderr });
  });
});

describe('the health check of the container', () => {
  it('succeeds if the server is healthy', async () => {
    const { port } = await serve({ BASE_PATH: '/prod' });
    expect(await checkHealth({ PORT: String(port) })).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('fails if no model can be served', async () => {
    const { port } = await serve({
      ...S3,
      MODEL_REPOSITORY: 's3://models',
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await findFreePort()}`,
    });
    const { code, stderr } = await checkHealth({ PORT: String(port) });
    expect([code, stderr]).toEqual([1, 'GET /health answered with 503\n']);
  });

  it('fails if nothing listens', async () => {
    const port = await findFreePort();
    const { code, stderr } = await checkHealth({ AIP_HTTP_PORT: String(port) });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^GET \/health: .*ECONNREFUSED/)]);
  });
});
