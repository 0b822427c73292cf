import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { get, post } from '../contracts/exchanges.ts';
import { startBlobServer } from '../support/blob-server.ts';
import { startGcsServer } from '../support/gcs-server.ts';
import { openAzureBundle, openFunctionsFramework, openServerBundle } from '../support/hosts/child-process.ts';
import { openLambdaBundle } from '../support/hosts/lambda-bundle.ts';
import type { TestHost } from '../support/hosts/test-host.ts';
import { PROJECT } from '../support/project.ts';
import { startS3Server } from '../support/s3-server.ts';
import { RUNNABLE } from '../support/targets.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const SETOSA = { features: [5.1, 3.5, 1.4, 0.2] };
const FOLDER = join(PROJECT, 'models');

interface Remote {
  /** The variables with which a host finds it. */
  readonly environment: Readonly<Record<string, string>>;
  /** The paths that were asked for. */
  asked(): readonly string[];
  /** From now on it denies access, or no longer does. */
  deny(): void;
  allow(): void;
}

const REMOTES: Readonly<Record<string, () => Promise<Remote>>> = {
  s3: async () => {
    const server = await startS3Server({ bucket: 'repository', folder: FOLDER });
    onTestFinished(() => server.close());
    const { region, endpoint, credentials } = server.client;
    return {
      environment: {
        MODEL_REPOSITORY: 's3://repository',
        AWS_REGION: region,
        AWS_ENDPOINT_URL_S3: endpoint,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      asked: () => server.requests.map(({ key }) => key),
      deny: () => server.addFault({ when: () => true, effect: refusal('AccessDenied') }),
      allow: () => void server.clearFaults(),
    };
  },
  gs: async () => {
    const server = await startGcsServer({ bucket: 'repository', folder: FOLDER, isOpen: true });
    onTestFinished(() => server.close());
    return {
      environment: { MODEL_REPOSITORY: 'gs://repository', STORAGE_EMULATOR_HOST: server.url },
      asked: () => server.requests.map(({ name }) => name),
      deny: () => server.addFault({ when: () => true, effect: refusal('no access') }),
      allow: () => void server.clearFaults(),
    };
  },
  az: async () => {
    const server = await startBlobServer({ folder: FOLDER });
    onTestFinished(() => server.close());
    return {
      environment: { ...server.environment, MODEL_REPOSITORY: 'az://models' },
      asked: () => server.requests.map(({ key }) => key),
      deny: () => server.addFault({ when: () => true, effect: refusal('AuthorizationPermissionMismatch') }),
      allow: () => void server.clearFaults(),
    };
  },
};

function refusal(code: string) {
  return { kind: 'refuse', status: 403, code } as const;
}

type Opener = (target: string, environment: Record<string, string>) => Promise<TestHost>;

/** Which stores each host has, and how it is started. */
const HOSTS: readonly (readonly [target: RegExp, open: Opener, schemes: readonly string[]])[] = [
  [/^aws/, (target, environment) => openLambdaBundle(target, 'http-api', environment), ['s3']],
  [/^gcp$/, openFunctionsFramework, ['gs']],
  [/^gcp-server/, openServerBundle, ['gs']],
  [/^azure/, openAzureBundle, ['az']],
  [/^local/, openFunctionsFramework, ['s3', 'gs', 'az']],
];

const cases = RUNNABLE.flatMap(({ name }) =>
  HOSTS.filter(([target]) => target.test(name)).flatMap(([, open, schemes]) =>
    schemes.map((scheme) => ({ name, scheme, open })),
  ),
);

describe.each(cases)('dist/$name with its models in $scheme://', ({ name, scheme, open }) => {
  async function start(): Promise<Remote> {
    const make = REMOTES[scheme];
    if (!make) throw new Error(`nothing serves ${scheme}://`);
    return await make();
  }
  const serve = async ({ environment }: Remote) => {
    const host = await open(name, { ...environment, MODEL_CACHE_FOLDER: await makeFolder({}) });
    onTestFinished(() => host.close());
    return host;
  };

  it('loads the models that are requested, and each file once', async () => {
    const remote = await start();
    const host = await serve(remote);
    const ask = async (path: string) => JSON.parse((await host.send(post(path, SETOSA))).body.toString());
    expect(await ask('/predict')).toMatchObject({ prediction: 'setosa', model_version: '2' });
    expect(await ask('/models/iris/versions/1/predict')).toMatchObject({
      prediction: 'setosa',
      model_version: '1',
    });
    const asked = remote.asked().length;
    expect(await ask('/models/iris/predict')).toMatchObject({ prediction: 'setosa' });
    expect(remote.asked()).toHaveLength(asked);
    expect(remote.asked()).toContain('iris/2/model.onnx');
    expect(remote.asked()).not.toContain('digits/1/model.onnx');
  });

  it('answers 503 with a safe reason while that fails, and recovers without a restart', async () => {
    const remote = await start();
    remote.deny();
    const host = await serve(remote);
    const refused = await host.send(post('/predict', SETOSA));
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.body.toString())).toMatchObject({
      error: 'The model repository cannot be read: it denies access.',
      error_code: 'TEMPORARILY_UNAVAILABLE',
    });
    const health = await host.send(get('/health'));
    expect(JSON.parse(health.body.toString())).toMatchObject({ status: 'error' });
    remote.allow();
    expect((await host.send(post('/predict', SETOSA))).status).toBe(200);
  });
});

it('every host that runs functions has a store of its cloud', () => {
  expect([...new Set(cases.map(({ name }) => name.replace(/-(?:x64|arm64)$/, '')))].sort()).toEqual([
    'aws',
    'azure',
    'gcp',
    'gcp-server',
    'local',
  ]);
});
