import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { findFreePort } from '../../support/hosts/child-process.ts';
import { MODELS, PROJECT } from '../../support/project.ts';
import { folderOf } from '../installation.ts';
import { counterpart as moto } from '../moto/counterpart.ts';
import { startServer } from '../start-server.ts';
import { run } from './commands.ts';
import { type Container, type ContainerOptions, startContainer } from './containers.ts';
import { counterpart } from './counterpart.ts';
import { FOREIGN, type ImageConfig, type Images, OWN, openImages } from './images.ts';
import { sendUntilGone } from './send-until-gone.ts';

const MEGABYTE = 1_000_000;
/** On the way from a registry. */
const MOST_BYTES = 120 * MEGABYTE;
const BUILD_MS = 600_000;
const ELF_MACHINES = { amd64: 0x3e, arm64: 0xb7 } as const;

const IRIS = join(MODELS, 'iris/2');
const ROW = [5.1, 3.5, 1.4, 0.2];
const PREDICT = { body: JSON.stringify({ features: ROW }) };
const INSTANCES = { body: JSON.stringify({ instances: [ROW] }) };

const installed = folderOf(counterpart);
let images: Images;
let image: string;
let config: ImageConfig;

beforeAll(async () => {
  images = await openImages(installed);
  image = await images.build(OWN);
  ({ config } = await images.inspect(image));
}, BUILD_MS);
afterAll(() => images?.close());

/** Each has files of its own, because a mount leaves an empty folder in them. */
async function start(options: ContainerOptions): Promise<Container> {
  const container = await startContainer(installed, await images.mount(image), config, options);
  onTestFinished(() => container.close());
  return container;
}

interface Question {
  readonly url: string;
  readonly type?: string;
  readonly body?: string;
}

const answersSchema = z.array(z.object({ status: z.number(), text: z.string() }));

async function ask(container: Container, questions: readonly Question[]) {
  const script = join(import.meta.dirname, 'ask.ts');
  const { stdout } = await container
    .runInNetwork([process.execPath, script, JSON.stringify(questions)])
    .catch((error: unknown) => {
      throw new Error(container.output(), { cause: error });
    });
  return answersSchema.parse(JSON.parse(stdout));
}

/** A line of the log, which is about a request if it has a path. */
const lineSchema = z.object({ path: z.string().optional(), status: z.number().optional() });

const HEALTH_CHECK = ['/usr/local/bin/node', '/app/healthcheck.mjs'];

describe('the image', () => {
  it('has at most 120 MB on its way from a registry', async () => {
    const layers = await images.layers(image);
    const sum = layers.reduce((total, size) => total + size, 0);
    console.log(`layers in MB: ${layers.map((size) => (size / MEGABYTE).toFixed(1)).join(', ')}`);
    expect(sum).toBeLessThan(MOST_BYTES);
    expect(sum).toBeGreaterThan(60 * MEGABYTE);
  });

  it('says how it is run', () => {
    expect(config).toMatchObject({
      User: '65532:65532',
      Entrypoint: ['/usr/local/bin/node', '--max-semi-space-size=16', '/app/index.mjs'],
      ExposedPorts: { '8080/tcp': {} },
      Healthcheck: { Test: ['CMD', ...HEALTH_CHECK] },
    });
    expect(config.Labels['com.amazonaws.sagemaker.capabilities.accept-bind-to-port']).toBe('true');
  });

  it.each([OWN, FOREIGN])(
    'has programs and libraries for %s, if it is for that',
    async (cpu) => {
      const built = await images.build(cpu);
      expect((await images.inspect(built)).cpu).toBe(cpu);
      const files = await images.mount(built);
      const found = ['app', 'usr/local/bin'].flatMap((folder) =>
        readdirSync(join(files, folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => join(parentPath, name)),
      );
      const machines = found.flatMap((path): [string, number][] => {
        const head = readFileSync(path).subarray(0, 20);
        return head.toString('latin1').startsWith('\x7fELF')
          ? [[path.slice(files.length), head.readUInt16LE(18)]]
          : [];
      });
      expect(machines.map(([path]) => path.replace(/^.*\//, ''))).toEqual(
        expect.arrayContaining(['node', 'onnxruntime_binding.node', 'libonnxruntime.so.1', 'koffi.node']),
      );
      for (const [path, machine] of machines) expect([path, machine]).toEqual([path, ELF_MACHINES[cpu]]);
    },
    BUILD_MS,
  );
});

describe('a container', () => {
  it.each<[string, ContainerOptions, readonly [Question, number, RegExp][]]>([
    [
      'Docker',
      { mounts: { '/models': MODELS } },
      [
        [{ url: 'http://127.0.0.1:8080/predict', ...PREDICT }, 200, /"prediction":"setosa".*"model":"iris"/],
        [{ url: 'http://[::1]:8080/models/iris/predict', ...PREDICT }, 200, /"prediction":"setosa"/],
      ],
    ],
    [
      'Cloud Run',
      { environment: { PORT: '8123', K_SERVICE: 'ternion' }, mounts: { '/models': MODELS } },
      [[{ url: 'http://127.0.0.1:8123/predict', ...PREDICT }, 200, /"prediction":"setosa"/]],
    ],
    [
      'SageMaker',
      { words: ['serve'], mounts: { '/opt/ml/model': IRIS } },
      [
        [{ url: 'http://127.0.0.1:8080/ping' }, 200, /./],
        [
          { url: 'http://127.0.0.1:8080/invocations', type: 'text/csv', body: ROW.join() },
          200,
          /^\[\[.*\]\]$/,
        ],
      ],
    ],
    [
      'SageMaker with another port',
      {
        words: ['serve'],
        environment: { SAGEMAKER_BIND_TO_PORT: '8200' },
        mounts: { '/opt/ml/model': MODELS },
      },
      [[{ url: 'http://127.0.0.1:8200/ping' }, 200, /./]],
    ],
    [
      'KServe',
      { environment: { MODEL_NAME: 'flowers' }, mounts: { '/mnt/models': IRIS } },
      [
        [{ url: 'http://127.0.0.1:8080/v1/models/flowers' }, 200, /"name":"flowers","ready":true/],
        [{ url: 'http://127.0.0.1:8080/v1/models/flowers:predict', ...INSTANCES }, 200, /^{"predictions":\[/],
        [{ url: 'http://127.0.0.1:8080/v2/models/flowers/ready' }, 200, /flowers/],
      ],
    ],
    [
      'Vertex AI',
      {
        environment: {
          AIP_HTTP_PORT: '8090',
          AIP_HEALTH_ROUTE: '/is-healthy',
          AIP_PREDICT_ROUTE: '/please-predict',
          AIP_STORAGE_URI: '',
          AIP_MODE: 'PREDICTION',
        },
        mounts: { '/models': IRIS },
      },
      [
        [{ url: 'http://127.0.0.1:8090/is-healthy' }, 200, /./],
        [{ url: 'http://127.0.0.1:8090/please-predict', ...INSTANCES }, 200, /"predictions":\[/],
      ],
    ],
    [
      'Azure ML',
      {
        environment: { AZUREML_MODEL_DIR: '/var/azureml-app/azureml-models/iris/3' },
        mounts: { '/var/azureml-app/azureml-models/iris/3/flowers': IRIS },
      },
      [
        [{ url: 'http://127.0.0.1:5001/' }, 200, /./],
        [{ url: 'http://127.0.0.1:5001/score', body: JSON.stringify({ data: [ROW] }) }, 200, /./],
        [{ url: 'http://127.0.0.1:5001/models/flowers' }, 200, /"flowers"/],
      ],
    ],
    [
      'a network without IPv6',
      {
        sysctl: { 'net.ipv6.conf.all.disable_ipv6': '1', 'net.ipv6.conf.lo.disable_ipv6': '1' },
        mounts: { '/models': MODELS },
      },
      [[{ url: 'http://127.0.0.1:8080/predict', ...PREDICT }, 200, /"prediction":"setosa"/]],
    ],
  ])(
    'answers as %s expects it, without root and without a place to write to',
    async (_, options, expected) => {
      const container = await start(options);
      const answers = await ask(
        container,
        expected.map(([question]) => question),
      );
      for (const [index, [question, status, text]] of expected.entries()) {
        expect([question.url, answers[index]]).toEqual([
          question.url,
          { status, text: expect.stringMatching(text) },
        ]);
      }
      await container.exec(HEALTH_CHECK);
      const status = readFileSync(`/proc/${container.pid}/status`, 'utf8');
      expect(status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
      expect(status).toMatch(/^CapEff:\t0+$/m);
      const write = "try{require('fs').writeFileSync('/app/x','')}catch({code}){console.log(code)}";
      expect((await container.exec(['/usr/local/bin/node', '-e', write])).stdout).toBe('EROFS\n');
      await container.signal('KILL');
    },
  );

  it('loses no request when it is asked to end', async () => {
    const port = await findFreePort();
    const container = await start({
      environment: { PORT: String(port) },
      mounts: { '/models': MODELS },
      isOnHost: true,
    });
    await ask(container, [{ url: `http://127.0.0.1:${port}/health` }]);
    const { answered, afterSignal, lost } = await sendUntilGone(port, PREDICT.body, 500, () =>
      container.signal('TERM'),
    );
    expect(await container.ended).toBe(0);
    console.log(`${answered} requests answered, ${afterSignal} of them after SIGTERM, ${lost.length} lost`);
    expect(lost).toEqual([]);
    expect(afterSignal).toBeGreaterThan(100);
    const logged = container
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => lineSchema.parse(JSON.parse(line)))
      .filter(({ path, status }) => path === '/predict' && status === 200);
    expect(logged).toHaveLength(answered);
  });

  it('serves the models that compose.yaml copies to a bucket, and survives its load', async () => {
    const s3 = await startServer(moto);
    onTestFinished(() => s3.close());
    const bucket = `models-${randomUUID()}`;
    const environment = {
      AWS_ENDPOINT_URL_S3: s3.url.replace('127.0.0.1', 'localhost'),
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'ternion',
      AWS_SECRET_ACCESS_KEY: 'only-for-compose',
    };
    const node = (script: string, ...words: readonly string[]) =>
      run([process.execPath, join(PROJECT, 'infra/compose', script), ...words], environment);
    // The second time, the bucket is there.
    for (const _ of [1, 2])
      expect((await node('copy-models.ts', bucket)).stdout).toBe(`copied 9 files to s3://${bucket}\n`);
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}`;
    const container = await start({
      environment: {
        ...environment,
        PORT: String(port),
        MODEL_REPOSITORY: `s3://${bucket}`,
        PRELOAD_MODELS: '*',
        S3_PATH_STYLE: 'true',
      },
      hasTmp: true,
      isOnHost: true,
    });
    const [answer] = await ask(container, [{ url: `${url}/predict`, ...PREDICT }]);
    expect(answer).toEqual({ status: 200, text: expect.stringMatching(/"prediction":"setosa"/) });
    const load = await run([
      'timeout',
      '--preserve-status',
      '2',
      process.execPath,
      join(PROJECT, 'infra/compose/send-load.ts'),
      url,
      '50',
    ]);
    const counts = Object.fromEntries(
      [...load.stdout.matchAll(/(\w+): (\d+)/g)].map(([, name = '', count]) => [name, Number(count)]),
    );
    expect(Object.keys(counts).sort()).toEqual(['200', '400']);
    expect(counts['200']).toBeGreaterThan(20);
  });
});
