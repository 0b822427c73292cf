import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openGcsStore } from '../../../shared/stores/gcs.ts';
import { post } from '../../contracts/exchanges.ts';
import { contentOf, describeModelStore } from '../../contracts/model-store.ts';
import { sendOverHttp } from '../../support/hosts/test-host.ts';
import { PROJECT } from '../../support/project.ts';
import { startCommand, temporaryFolder } from '../../support/run-command.ts';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart } from './counterpart.ts';

let server: RunningServer;

beforeAll(async () => {
  server = await startServer(counterpart);
});
afterAll(() => server?.close());

async function call(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const response = await fetch(new URL(path, server.url), { method, body: body ?? null });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}

async function createBucket(): Promise<string> {
  const bucket = `models-${randomUUID()}`;
  await call('POST', '/storage/v1/b', JSON.stringify({ name: bucket }));
  return bucket;
}

async function put(bucket: string, name: string, content: string | Uint8Array): Promise<void> {
  const query = new URLSearchParams({ uploadType: 'media', name });
  await call('POST', `/upload/storage/v1/b/${bucket}/o?${query}`, new Uint8Array(Buffer.from(content)));
}

function open(url: string) {
  return openGcsStore(url, { environment: { STORAGE_EMULATOR_HOST: server.url } });
}

for (const [name, prefix] of [
  ['a bucket of fake-gcs-server', ''],
  ['a prefix in a bucket of fake-gcs-server', 'team a/models/'],
] as const) {
  describeModelStore(
    name,
    async (files) => {
      const bucket = files ? await createBucket() : 'not-there';
      for (const [path, content] of Object.entries(files ?? {})) await put(bucket, prefix + path, content);
      return {
        store: open(`gs://${bucket}/${prefix}`),
        write: (path, content) => put(bucket, prefix + path, content),
        remove: (path) => call('DELETE', `/storage/v1/b/${bucket}/o/${encodeURIComponent(prefix + path)}`),
        close: async () => undefined,
      };
    },
    { removalConditions: true, missingRepositories: true },
  );
}

describe('a repository in fake-gcs-server', () => {
  it('refuses other bytes than those that were meant', async () => {
    const bucket = await createBucket();
    const [right, wrong] = [contentOf('two'), contentOf('six')];
    let opened = 0;
    const content = {
      ...right,
      open: () => {
        opened += 1;
        return (opened === 1 ? right : wrong).open();
      },
    };
    const store = open(`gs://${bucket}`);
    await expect(store.write('a', content)).rejects.toThrow('MD5 hash');
    expect(await store.list('')).toEqual([]);
  });

  it('is filled by "ternion add" and served by "ternion serve"', async () => {
    const url = `gs://${await createBucket()}/prod`;
    const environment = {
      MODEL_CACHE_FOLDER: await temporaryFolder(),
      STORAGE_EMULATOR_HOST: server.url,
      INTRA_OP_THREADS: '1',
      MODEL_REPOSITORY: url,
    };
    const run = (...args: readonly string[]) => startCommand(args, '', environment).outcome;
    const added = await run('add', join(PROJECT, 'models/iris/2'), '-n', 'iris', '--json');
    expect([added.code, JSON.parse(added.stdout)]).toMatchObject([0, { path: `${url}/iris/1`, live: '1' }]);
    const again = await run('add', join(PROJECT, 'models/iris/2'), '-n', 'iris', '--version', '1');
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('has a version 1 already')]);
    expect((await run('verify', 'iris/1')).code).toBe(0);
    const serve = startCommand(['serve', '--port', '0', '--grace', '0'], '', environment);
    onTestFinished(() => void serve.process.kill('SIGKILL'));
    const port = Number(new URL(await serve.seen(/http:\/\/localhost:\d+/)).port);
    const { body } = await sendOverHttp(
      port,
      post('/models/iris/predict', { features: [5.1, 3.5, 1.4, 0.2] }),
    );
    expect(JSON.parse(body.toString())).toMatchObject({ prediction: 'setosa', model_version: '1' });
    const sizes = (await open(url).list('iris/1')).map(({ path, sizeBytes }) => [path, sizeBytes]);
    const original = await readFile(join(PROJECT, 'models/iris/2/model.onnx'));
    expect(sizes).toContainEqual(['iris/1/model.onnx', original.length]);
    serve.process.kill('SIGTERM');
    expect(await serve.outcome).toMatchObject({ code: 0 });
  });
});
