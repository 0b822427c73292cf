import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { findGoogleToken } from '../../../shared/google/credentials.ts';
import { type GcsStoreOptions, openGcsStore } from '../../../shared/stores/gcs.ts';
import { contentOf, textOf } from '../../contracts/model-store.ts';
import { describeRemoteStore, firstOf } from '../../contracts/remote-store.ts';
import { startJsonServer } from '../../support/features/json-server.ts';
import type { GcsRequest } from '../../support/gcs-protocol.ts';
import { type GcsServer, type GcsServerOptions, startGcsServer } from '../../support/gcs-server.ts';

const servers: GcsServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options?: GcsServerOptions): Promise<GcsServer> {
  const server = await startGcsServer(options);
  servers.push(server);
  return server;
}

function open(server: GcsServer, options: GcsStoreOptions = {}, url = 'gs://models') {
  return openGcsStore(url, { ...server.client, ...options });
}

describeRemoteStore('a bucket of Cloud Storage', {
  start: async (files) => await startGcsServer(files ? { files } : { bucket: 'another' }),
  open: (server, limits, path) => open(server, limits, `gs://${path}`),
  busy: [
    { status: 429, code: 'busy' },
    { status: 503, code: 'busy' },
  ],
});

describe('openGcsStore', () => {
  it('shows its URL without a slash at the end', () => {
    expect(openGcsStore('gs://bucket').url).toBe('gs://bucket');
    expect(openGcsStore('gs://bucket//a/b//').url).toBe('gs://bucket/a/b');
  });

  it('refuses a URL without a bucket', () => {
    for (const url of ['gs://', 'gs:///a', 'https://bucket/a', 'gs:bucket']) {
      expect(() => openGcsStore(url)).toThrow('write gs://bucket/prefix');
    }
  });

  it('walks through all pages of a listing', async () => {
    const paths = Array.from({ length: 7 }, (_, index) => `iris/${index}/a&b=<c>+%2F?#.txt`);
    const server = await start({
      files: Object.fromEntries(paths.map((path) => [path, path])),
      pageObjects: 3,
    });
    const store = open(server);
    const files = await store.list('iris');
    expect(files.map(({ path }) => path)).toEqual(paths);
    expect(server.requests.map(({ operation, query }) => [operation, query.get('prefix')])).toEqual([
      ['objects.list', 'iris/'],
      ['objects.list', 'iris/'],
      ['objects.list', 'iris/'],
    ]);
    const texts = await Promise.all(files.map((file) => textOf(store.read(file, 0, file.sizeBytes))));
    expect(texts).toEqual(paths);
  });

  it('skips folder markers and names with empty or dotted parts', async () => {
    const server = await start({ files: { 'iris/': '', 'iris//x': '1', 'iris/../y': '2', 'iris/z': '3' } });
    const store = open(server);
    expect((await store.list('')).map(({ path }) => path)).toEqual(['iris/z']);
    // A name with a part of dots is not a way to other objects.
    expect(await store.load('iris/../iris/z')).toMatchObject({ is: 'missing' });
    for (const name of ['.', '..'])
      await expect(store.load(name)).rejects.toMatchObject({ reason: 'missing' });
  });

  it('asks for the range and for the generation that was listed', async () => {
    const server = await start({ files: { a: '0123456789' } });
    const store = open(server);
    const file = await firstOf(store.list(''));
    expect(await textOf(store.read(file, 2, 6))).toBe('2345');
    const [, get] = server.requests;
    expect(get).toMatchObject({ name: 'a', range: { start: 2, end: 6 }, status: 206 });
    expect(Object.fromEntries(get?.query ?? [])).toEqual({ alt: 'media', ifGenerationMatch: file.etag });
  });

  it('gets objects that are stored as gzip as they are', async () => {
    const content = gzipSync('a'.repeat(1000));
    const server = await start({ files: { other: '' } });
    server.put('a', content, true);
    const store = open(server);
    const file = await firstOf(store.list(''));
    expect(file.sizeBytes).toBe(content.length);
    const chunks: Buffer[] = [];
    for await (const chunk of await store.read(file, 0, file.sizeBytes)) chunks.push(Buffer.from(chunk));
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
  });

  it('rejects with "changed" for a range beyond the end', async () => {
    const server = await start({ files: { a: 'abc' } });
    const store = open(server);
    const file = await firstOf(store.list(''));
    await expect(store.read(file, 3, 5)).rejects.toMatchObject({ reason: 'changed' });
  });

  it.each([
    { status: 401, code: 'Invalid Credentials', reason: 'denied' },
    { status: 403, code: 'does not have access to the object', reason: 'denied' },
    { status: 404, code: 'No such object', reason: 'missing' },
    { status: 404, code: 'The specified bucket does not exist', reason: 'missing' },
    { status: 400, code: "Invalid bucket name: 'A'", reason: 'missing' },
    { status: 412, code: 'pre-conditions', reason: 'changed' },
    { status: 416, code: 'range', reason: 'changed' },
    { status: 408, code: 'Request Timeout', reason: 'unreachable' },
    { status: 429, code: 'rate limit', reason: 'unreachable' },
    { status: 500, code: 'Backend Error', reason: 'unreachable' },
  ])('turns $status $code into "$reason"', async ({ status, code, reason }) => {
    const server = await start({ files: { 'iris/1/model.onnx': 'x' } });
    const store = open(server, { attempts: 1 });
    const file = await firstOf(store.list(''));
    server.addFault({ when: () => true, effect: { kind: 'refuse', status, code } });
    const expected = { name: 'StoreError', reason, message: expect.stringContaining(`${status} ${code}`) };
    await expect(store.list('iris')).rejects.toMatchObject(expected);
    await expect(store.read(file, 0, 1)).rejects.toMatchObject({
      ...expected,
      message: expect.stringContaining('gs://models/iris/1/model.onnx'),
    });
  });

  it('shows no page of a proxy, and takes no other answer for a listing', async () => {
    const server = await start();
    const page = '<html>busy</html>';
    server.addFault({ when: () => true, effect: { kind: 'refuse', status: 403, code: page } });
    server.addFault({ when: () => true, effect: { kind: 'refuse', status: 200, code: page } });
    const store = open(server, { attempts: 1 });
    await expect(store.load('a')).rejects.toThrow(/Cloud Storage: 403\.$/);
    server.clearFaults();
    server.addFault({ when: () => true, effect: { kind: 'refuse', status: 200, code: page } });
    await expect(store.list('')).rejects.toThrow('the answer is not a listing of Cloud Storage');
  });
});

describe('a token for Cloud Storage', () => {
  it('is asked for once, and again when it has ended', async () => {
    const server = await start({ files: { a: 'x' } });
    let asked = 0;
    const token = async () => {
      asked += 1;
      return await server.client.token();
    };
    const store = open(server, { token });
    await store.list('');
    await store.list('');
    expect(asked).toBe(1);
    server.endTokens();
    await Promise.all([store.list(''), store.load('a'), store.write('b', contentOf('y'))]);
    expect(asked).toBe(2);
    const later = server.requests.filter(({ token: sent }) => sent === 'token-1');
    expect(later.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('does not depend on the clock of the store, by which a file is loaded', async () => {
    const aheadMs = 7_200_000;
    const server = await start({ files: { a: 'x' }, aheadMs });
    const store = open(server);
    const { storeMs } = await store.load('a');
    expect(Math.abs(storeMs - Date.now() - aheadMs)).toBeLessThan(60_000);
    server.endTokens();
    await store.list('');
    expect(server.requests.map(({ token, status }) => [token, status])).toEqual([
      ['token-0', 200],
      ['token-0', 401],
      ['token-1', 200],
    ]);
  });

  it('is not asked for more than twice for a request', async () => {
    const server = await start();
    let asked = 0;
    const token = async () => {
      asked += 1;
      return { token: `wrong-${asked}` };
    };
    await expect(open(server, { token }).list('')).rejects.toMatchObject({
      reason: 'denied',
      message: expect.stringMatching(
        /allow storage\.objects\.list on it for this server's credentials\. Cloud Storage: 401 Invalid/,
      ),
    });
    expect(server.requests.map(({ token: sent }) => sent)).toEqual(['wrong-1', 'wrong-2']);
  });

  it('that cannot be had denies the request before it is sent', async () => {
    const server = await start();
    const token = async () => {
      throw new Error('the metadata server is away');
    };
    await expect(open(server, { token }).list('')).rejects.toMatchObject({
      reason: 'denied',
      message: 'There are no credentials for Cloud Storage: the metadata server is away.',
    });
    expect(server.requests).toEqual([]);
  });

  it('is the one of the service account of the machine', async () => {
    const server = await start({ files: { a: 'x' } });
    const { token } = await server.client.token();
    const metadata = await startJsonServer(() => [200, { access_token: token, expires_in: 3599 }]);
    onTestFinished(() => metadata.close());
    const environment = { GCE_METADATA_HOST: metadata.url.replace('http://', '') };
    const store = open(server, { token: (scope) => findGoogleToken(environment, scope) });
    expect(await store.list('')).toHaveLength(1);
    expect(await store.list('')).toHaveLength(1);
    expect(metadata.requests.map(({ path }) => path)).toEqual([
      '/computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.read_write',
    ]);
  });

  it.each(['', 'http://'])('is not sent to the emulator at %shost:port', async (scheme) => {
    const server = await start({ files: { a: 'x' }, isOpen: true });
    const environment = {
      STORAGE_EMULATOR_HOST: server.url.replace('http://', scheme),
    };
    const { token: source } = server.client;
    const store = openGcsStore('gs://models', { environment, token: source });
    expect(await store.list('')).toHaveLength(1);
    expect(server.requests.map(({ token }) => token)).toEqual([undefined]);
  });

  it('is not looked for elsewhere when the file with its credentials is gone', async () => {
    const environment = { GOOGLE_APPLICATION_CREDENTIALS: '/not-there' };
    const token = (scope: string) => findGoogleToken(environment, scope);
    await expect(openGcsStore('gs://models', { token }).list('')).rejects.toMatchObject({
      reason: 'denied',
      message:
        'There are no credentials for Cloud Storage: the file /not-there of GOOGLE_APPLICATION_CREDENTIALS does not exist.',
    });
  });
});

describe('a write to Cloud Storage', () => {
  const isWrite = ({ operation }: GcsRequest) =>
    operation === 'objects.insert' || operation === 'objects.delete';

  it('is tried again when the store is busy, and keeps its condition', async () => {
    const server = await start({ files: { a: 'one' } });
    const store = open(server);
    const file = await firstOf(store.list(''));
    const busy = { kind: 'refuse', status: 429, code: 'busy' } as const;
    server.addFault({ when: isWrite, times: 2, effect: busy });
    const written = await store.write('a', contentOf('two'), file.etag);
    server.addFault({ when: isWrite, times: 1, effect: busy });
    await store.remove(written);
    const sent = server.requests.filter(isWrite);
    expect(sent.map(({ status, query }) => [status, query.get('ifGenerationMatch')])).toEqual([
      [429, file.etag],
      [429, file.etag],
      [200, file.etag],
      [429, written.etag],
      [204, written.etag],
    ]);
    expect(server.names()).toEqual([]);
  });

  it('of a new file asks that there is none', async () => {
    const server = await start();
    await open(server, {}, 'gs://models/team').write('ü/1 "x".json', contentOf('one'));
    expect(server.requests.map(({ name, query }) => [name, query.get('ifGenerationMatch')])).toEqual([
      ['team/ü/1 "x".json', '0'],
    ]);
  });

  it.each([
    ['objects.insert', 403, 'no', 'denied', /allow storage\.objects\.create and, to replace files, storage/],
    ['objects.insert', 404, 'The specified bucket does not exist.', 'missing', /does not exist: check/],
    ['objects.insert', 400, 'Provided MD5 hash', 'unreachable', /400 Provided MD5 hash/],
    ['objects.delete', 403, 'no', 'denied', /storage\.objects\.delete on it/],
    ['objects.delete', 404, 'The specified bucket does not exist.', 'missing', /does not exist: check/],
  ])('%s that is answered %s %s is not a lost race', async (operation, status, code, reason, message) => {
    const server = await start({ files: { a: 'one' } });
    const store = open(server, { attempts: 1 });
    const file = await firstOf(store.list(''));
    server.addFault({
      when: (request) => request.operation === operation,
      effect: { kind: 'refuse', status, code },
    });
    const done = operation === 'objects.insert' ? store.write('b', contentOf('two')) : store.remove(file);
    await expect(done).rejects.toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  it('sends what its content is, and is refused where other bytes arrive', async () => {
    const server = await start();
    const [right, wrong] = [contentOf('two'), contentOf('six')];
    let opened = 0;
    const content = {
      ...right,
      open: () => {
        opened += 1;
        return (opened === 1 ? right : wrong).open();
      },
    };
    await expect(open(server).write('a', content)).rejects.toThrow('400 Provided MD5 hash');
    expect(opened).toBe(2);
    expect(server.names()).toEqual([]);
  });

  it('is not sent when its content is another one', async () => {
    const server = await start();
    const other = { ...contentOf('two'), sha256: contentOf('six').sha256 };
    await expect(open(server).write('a', other)).rejects.toMatchObject({
      reason: 'corrupt',
      message: 'a changed while it was being written: its sha256 differs now.',
    });
    expect(server.requests).toEqual([]);
  });

  it('of more bytes than Cloud Storage takes at once is refused before it is sent', async () => {
    const server = await start();
    const huge = { ...contentOf('x'), sizeBytes: 5 * 1024 ** 4 + 1 };
    await expect(open(server).write('a', huge)).rejects.toThrow('a has more than 5 TiB');
    expect(server.requests).toEqual([]);
  });
});
