import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createContext, createHost } from '../../functions/host.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { openS3Store } from '../../shared/stores/s3.ts';
import { TEST_ENVIRONMENT } from '../support/hosts/environment.ts';
import { PAGES, PROJECT } from '../support/project.ts';
import { temporaryFolder } from '../support/run-command.ts';
import { startS3Server } from '../support/s3-server.ts';
import { startSilentProxy } from '../support/silent-proxy.ts';

const FEATURES = [5.1, 3.5, 1.4, 0.2];

/** A host whose repository is in a bucket, with all models or fewer, and whose mirror is a folder. */
async function start(copy: { readonly lacks?: string } = {}) {
  const s3 = await startS3Server({ folder: join(PROJECT, 'models') });
  const proxy = await startSilentProxy(s3.url);
  proxy.speak();
  const mirror = join(await temporaryFolder(), 'mirror');
  await cp(join(PROJECT, 'models'), mirror, { recursive: true });
  if (copy.lacks) await rm(join(mirror, copy.lacks), { recursive: true });
  const lines: string[] = [];
  const open = async (endpoint: string, changes: Readonly<Record<string, string>> = {}) => {
    const host = createHost({
      environment: {
        ...TEST_ENVIRONMENT,
        MODEL_REPOSITORY: 's3://models',
        MODEL_REPOSITORY_MIRROR: mirror,
        MODEL_CACHE_FOLDER: await temporaryFolder(),
        LOG_LEVEL: 'warn',
        ...changes,
      },
      modelRepository: '',
      pagesFolder: PAGES,
      stores: {
        file: openFilesystemStore,
        s3: (url) => openS3Store(url, { ...s3.client, endpoint, socketTimeoutMs: 60_000, attempts: 1 }),
      },
      log: () => ({ write: (line) => void lines.push(line) }),
      cpus: 1,
    });
    onTestFinished(() => host.app.close());
    return async (method: string, path: string, body?: unknown) => {
      const headers = new Headers({ 'content-type': 'application/json' });
      const request = new BytesRequest(
        `http://localhost${path}`,
        { method, headers },
        Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      );
      const response = await host.app.fetch(request, createContext(headers, undefined));
      return { status: response.status, body: JSON.parse(await response.text()) };
    };
  };
  onTestFinished(async () => {
    await proxy.close();
    await s3.close();
  });
  return { s3, proxy, open, lines };
}

describe('a repository with a mirror', () => {
  const PREDICT = ['POST', '/models/iris/predict', { features: FEATURES }] as const;

  it('is read alone while it answers', async () => {
    const { s3, open, lines } = await start({ lacks: 'iris' });
    const send = await open(s3.url);
    expect(await send(...PREDICT)).toMatchObject({ status: 200, body: { prediction: 'setosa' } });
    expect(lines).toEqual([]);
  });

  it('starts from the mirror when nobody listens, and says so', async () => {
    const { s3, open, lines } = await start();
    await s3.close();
    const send = await open(s3.url);
    expect(await send(...PREDICT)).toMatchObject({
      status: 200,
      body: { prediction: 'setosa', model_version: '2' },
    });
    expect(new Set(lines.map((line) => JSON.parse(line).message))).toEqual(
      new Set(['the model repository does not answer, and its mirror is asked']),
    );
  });

  it.each([
    [403, 'AccessDenied'],
    [404, 'NoSuchBucket'],
    [503, 'SlowDown'],
  ])('starts from the mirror when it answers %i %s', async (status, code) => {
    const { s3, open } = await start();
    s3.addFault({ when: () => true, effect: { kind: 'refuse', status, code } });
    const send = await open(s3.url);
    expect(await send(...PREDICT)).toMatchObject({ status: 200 });
  });

  it('starts from the mirror within the time that a request has when it is silent', async () => {
    const { proxy, open } = await start();
    proxy.fallSilent();
    const send = await open(proxy.url);
    expect(await send(...PREDICT)).toMatchObject({ status: 200 });
  });

  it('keeps the versions that it knows when it is out, and gets the files of others from the mirror', async () => {
    // The mirror lacks the newest version.
    const { s3, open, lines } = await start({ lacks: 'iris/2' });
    const send = await open(s3.url);
    expect(await send('GET', '/models')).toMatchObject({ status: 200 });
    s3.addFault({ when: () => true, effect: { kind: 'refuse', status: 500, code: 'InternalError' } });
    expect(await send(...PREDICT)).toMatchObject({ status: 503 });
    expect(await send('POST', '/models/iris/versions/1/predict', { features: FEATURES })).toMatchObject({
      status: 200,
      body: { model_version: '1' },
    });
    expect(lines.map((line) => JSON.parse(line).message)).toContain(
      'the model repository does not answer, and its mirror is asked',
    );
    s3.clearFaults();
    // A load that failed is not tried again at once.
    await vi.waitFor(
      async () => expect(await send(...PREDICT)).toMatchObject({ status: 200, body: { model_version: '2' } }),
      { timeout: 20_000, interval: 200 },
    );
  });

  it('fails with the problem of the repository when its mirror is out as well', async () => {
    const { s3, open } = await start();
    await s3.close();
    const send = await open(s3.url, { MODEL_REPOSITORY_MIRROR: join(await temporaryFolder(), 'nowhere') });
    expect(await send(...PREDICT)).toMatchObject({ status: 503 });
  });

  it('is refused with the name of the variable if its mirror cannot be read by the host', async () => {
    const { s3, open } = await start();
    await expect(open(s3.url, { MODEL_REPOSITORY_MIRROR: 'ftp://models' })).rejects.toThrow(
      'MODEL_REPOSITORY_MIRROR="ftp://models" cannot be read by this host',
    );
  });
});
