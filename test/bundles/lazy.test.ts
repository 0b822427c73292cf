import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { get, post, raw } from '../contracts/exchanges.ts';
import { openAzureBundle, openFunctionsFramework, openServerBundle } from '../support/hosts/child-process.ts';
import { OWN_RUNTIME } from '../support/hosts/lambda-bundle.ts';
import { toEvent } from '../support/hosts/lambda-events.ts';
import { sendOverHttp } from '../support/hosts/test-host.ts';
import { openLambdaEnvironment } from '../support/lambda-environment.ts';
import { PROJECT } from '../support/project.ts';
import { startCommand, startNode } from '../support/run-command.ts';
import { RUNNABLE } from '../support/targets.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const isBuiltForHere = RUNNABLE.some(({ name }) => name === 'gcp');
const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/00-label-0.png'));
const SETOSA = { features: [5.1, 3.5, 1.4, 0.2] };

describe('the local server', () => {
  it('ends with one sentence when its configuration is wrong', async () => {
    await expect(
      openFunctionsFramework('local', { MAX_BATCH_SIZE: 'many', MODEL_REPOSITORY: 'ftp://bucket' }),
    ).rejects.toThrow(/exited with 1: MAX_BATCH_SIZE="many" must be a whole number in digits\.\s*$/);
    await expect(openFunctionsFramework('local', { MODEL_REPOSITORY: 'ftp://bucket' })).rejects.toThrow(
      'MODEL_REPOSITORY="ftp://bucket" cannot be read by this host; it reads a folder, s3://, gs://, az://.',
    );
  });
});

/** Node's own HTTP client with its WebSockets: about 35 ms of a start. It is loaded only through `globalThis` and `http`. */
describe("Node's HTTP client is not loaded by a start and an answer", () => {
  const seen = 'process.moduleLoadList.filter((name) => name.endsWith("undici/undici"))';

  it.each(RUNNABLE.filter(({ name }) => name.startsWith('aws')))('of dist/$name', async ({ name }) => {
    const event = toEvent('http-api', post('/models/iris/predict', SETOSA));
    const script = `
      const { handler } = await import(${JSON.stringify(join(PROJECT, 'dist', name, 'index.mjs'))});
      const invocation = { awsRequestId: 'a', getRemainingTimeInMillis: () => 30_000 };
      const { statusCode } = await handler(${JSON.stringify(event)}, invocation);
      console.log(JSON.stringify([statusCode, ${seen}]));`;
    const { stdout } = await startNode(['--input-type=module', '--eval', script], { LOG_LEVEL: 'silent' })
      .outcome;
    expect(JSON.parse(stdout)).toEqual([200, []]);
  });

  it('of ternion serve', async () => {
    const hook = `process.on('exit', () => console.log('loaded', ${seen}));`;
    const serve = startCommand(['serve', '--port', '0', '--grace', '0'], '', {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}`,
    });
    const url = await serve.seen(/http:\/\/localhost:\d+/);
    const { status } = await sendOverHttp(Number(new URL(url).port), post('/models/iris/predict', SETOSA));
    expect(status).toBe(200);
    serve.process.kill('SIGTERM');
    expect((await serve.outcome).stdout).toContain('loaded []');
  });
});

/** Parts that an answer of the flower model does not need. */
const NOT_STARTED = [
  ...['azure-ml', 'hugging-face', 'kserve', 'mlflow', 'open-inference', 'sagemaker', 'tensorflow-serving'],
  ...['torchserve', 'ubiops', 'vertex-ai', 'shared-routes', 'v1'],
]
  .map((name) => `shared/protocols/${name}/`)
  .concat(
    ['catalog', 'catalog-schemas'].map((name) => `shared/protocols/${name}.ts`),
    [
      'novelty',
      'ml-outputs',
      'sequences',
      'zipmap',
      'locales',
      'guard-operators',
      'guard-rules',
      'guard-topk',
      'guard-search',
      'guard-usual',
      'shape-rules',
      'values',
    ]
      .concat(['probabilities', 'forest-bounds', 'shares', 'missing-values'])
      .map((name) => `shared/onnx/${name}.ts`),
    ['preprocess-images', 'preprocess-texts', 'postprocess-embedding', 'infer-tensors', 'read-dense']
      .concat(['check-external-data', 'explain-refusal', 'count-values', 'expected-values'])
      .map((name) => `shared/inference/${name}.ts`),
    ['resize', 'convert', 'steps', 'options'].map((name) => `shared/processing/image/steps/${name}.ts`),
    ['shared/inference/tasks/image-classification.ts', 'shared/monitoring/otlp/', 'shared/scrapes/'],
    ['shared/processing/text/', 'shared/openapi/document-source.ts', 'shared/openapi/docs-routes.ts'],
    ['shared/models/artifact-folder.ts', 'shared/models/formats/recognise.ts', 'shared/http/multipart.ts'],
    ['shared/runtime/trial-process.ts', 'shared/stores/get-client.ts', 'shared/http/http-client.ts'],
    ['shared/google/', 'shared/aws/', 'shared/azure/'],
    ['object-', 's3-', 'gcs-', 'blob-', 'xml'].map((name) => `shared/stores/objects/${name}`),
    ['zod/v4/classic/', 'zod/v4/core/to-json-schema.js', 'zod/v4/core/json-schema-processors.js'],
  );

/** Bytes of JavaScript up to the first answer; Azure has its own library for functions in it, 23 kB. */
const MOST_BYTES: Readonly<Record<string, number>> = {
  aws: 275_000,
  gcp: 275_000,
  azure: 300_000,
  container: 285_000,
};

/** Files up to the first answer. Node takes about half a millisecond for each. */
const MOST_FILES = 8;

const OPENERS: Readonly<Record<string, typeof openServerBundle>> = {
  gcp: openFunctionsFramework,
  'gcp-server': openServerBundle,
  azure: openAzureBundle,
  container: openServerBundle,
};

/** Counts the files of a bundle that a process evaluates. */
async function countEvaluated(folder: string, serve: (options: Record<string, string>) => Promise<void>) {
  const file = join(await makeFolder({ 'evaluated.txt': '' }), 'evaluated.txt');
  const hook = pathToFileURL(join(PROJECT, 'test/bench/processes/count-evaluated.ts')).href;
  await serve({ NODE_OPTIONS: `--import=${hook}`, EVALUATED_FILE: file, PRELOAD_MODELS: 'iris' });
  const lines = readFileSync(file, 'utf8').split('\n');
  const meta: { outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> } = JSON.parse(
    readFileSync(join(PROJECT, 'dist/meta', `${basename(folder)}.json`), 'utf8'),
  );
  const outputs = new Map(Object.entries(meta.outputs).map(([path, output]) => [basename(path), output]));
  // Hosts are started from copies of the folder.
  const evaluated = lines.filter((line) => outputs.has(basename(line)) && !line.includes('node_modules'));
  const inputs = evaluated.flatMap((line) => {
    return Object.entries(outputs.get(basename(line))?.inputs ?? {})
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([input]) => input);
  });
  const bytes = evaluated.reduce((sum, line) => sum + Number.parseInt(line, 10), 0);
  return { bytes, inputs, files: evaluated.length };
}

describe('up to the first answer', () => {
  it.each(RUNNABLE.filter(({ name }) => /^(?:aws|gcp|azure|container)/.test(name)))(
    'dist/$name evaluates only what the answer needs',
    async ({ name }) => {
      const folder = join(PROJECT, 'dist', name);
      const { bytes, inputs, files } = await countEvaluated(folder, async (environment) => {
        if (name.startsWith('aws')) {
          const options = {
            folder,
            runtime: OWN_RUNTIME,
            environment: { ...environment, LOG_LEVEL: 'silent' },
          };
          const lambda = await openLambdaEnvironment(options);
          const { isError } = await lambda.invoke(toEvent('http-api', post('/predict', SETOSA)));
          expect(isError).toBe(false);
          await lambda.shutdown();
          return;
        }
        const open = OPENERS[name] ?? OPENERS[name.split('-')[0] ?? ''];
        if (!open) throw new Error(`nothing starts dist/${name}`);
        const host = await open(name, environment);
        expect((await host.send(post('/predict', SETOSA))).status).toBe(200);
        await host.close();
      });
      expect(inputs).toContain('shared/protocols/predict/routes.ts');
      expect(inputs.filter((input) => NOT_STARTED.some((part) => input.includes(part)))).toEqual([]);
      expect(bytes).toBeLessThan(MOST_BYTES[name.split('-')[0] ?? ''] ?? 0);
      expect(files).toBeLessThanOrEqual(MOST_FILES);
    },
  );
});

// A process lists the libraries it has mapped only under Linux, which is also where the deployable bundles run.
if (isBuiltForHere && existsSync('/proc/self/maps')) {
  describe('a bundle', () => {
    it('loads the image decoder with the first image and not before', async () => {
      const host = await openFunctionsFramework('gcp');
      const maps = () => readFileSync(`/proc/${host.process.pid}/maps`, 'utf8');
      expect((await host.send(post('/predict', SETOSA))).status).toBe(200);
      expect(maps()).toContain('libonnxruntime');
      expect(maps()).not.toContain('libvips');
      expect((await host.send(raw('/predict', PNG, { 'content-type': 'image/png' }))).status).toBe(200);
      expect(maps()).toContain('libvips');
      await host.close();
    });

    it('says in /health that its native library is broken, and keeps answering', async () => {
      const host = await openAzureBundle('azure', {}, async (folder) => {
        await writeFile(join(folder, 'native/onnxruntime/onnxruntime_binding.node'), 'not a library');
      });
      const health = await host.send(get('/health'));
      expect(health.status).toBe(503);
      expect(JSON.parse(health.body.toString())).toMatchObject({
        status: 'error',
        reason: 'The inference runtime cannot be loaded on this host; the log says why.',
      });
      const answer = await host.send(post('/predict', SETOSA));
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ error_code: 'MODEL_UNAVAILABLE' });
      expect((await host.send(get('/models'))).status).toBe(200);
      await host.close();
    });

    it('answers every request with 503 and logs the reason when its configuration is wrong on Azure', async () => {
      const host = await openAzureBundle('azure', { MAX_BATCH_SIZE: 'many' });
      const health = await host.send(get('/health'));
      expect(health.status).toBe(503);
      expect(JSON.parse(health.body.toString())).toMatchObject({
        error_code: 'TEMPORARILY_UNAVAILABLE',
        code: 503,
      });
      expect(host.output()).toContain('MAX_BATCH_SIZE="many" must be a whole number in digits.');
      await host.close();
    });
  });
}
