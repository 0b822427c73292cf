import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createS3Protocol, type S3Connection } from '../../../shared/stores/objects/s3-protocol.ts';
import { openS3Store, type S3StoreOptions } from '../../../shared/stores/s3.ts';
import { contentOf, textOf } from '../../contracts/model-store.ts';
import { describeRemoteStore, firstOf } from '../../contracts/remote-store.ts';
import type { S3Request } from '../../support/s3-protocol.ts';
import { type S3Server, type S3ServerOptions, startS3Server } from '../../support/s3-server.ts';

const servers: S3Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options?: S3ServerOptions): Promise<S3Server> {
  const server = await startS3Server(options);
  servers.push(server);
  return server;
}

function open(server: S3Server, options: S3StoreOptions = {}, url = 's3://models') {
  return openS3Store(url, { ...server.client, ...options });
}

describeRemoteStore('a bucket', {
  start: async (files) => await startS3Server(files ? { files } : { bucket: 'another' }),
  open: (server, limits, path) => open(server, limits, `s3://${path}`),
  busy: [
    { status: 503, code: 'SlowDown' },
    { status: 503, code: 'SlowDown' },
  ],
});

describe('openS3Store', () => {
  it('shows its URL without a slash at the end', () => {
    expect(openS3Store('s3://bucket').url).toBe('s3://bucket');
    expect(openS3Store('s3://bucket/').url).toBe('s3://bucket');
    expect(openS3Store('s3://bucket//a/b//').url).toBe('s3://bucket/a/b');
  });

  it('refuses a URL without a bucket', () => {
    for (const url of ['s3://', 's3:///a', 'https://bucket/a', 's3:bucket']) {
      expect(() => openS3Store(url)).toThrow('write s3://bucket/prefix');
    }
  });

  it('walks through all pages of a listing', async () => {
    const paths = Array.from({ length: 7 }, (_, index) => `iris/${index}/a&b <c>.txt`);
    const server = await start({ files: Object.fromEntries(paths.map((path) => [path, path])), pageKeys: 3 });
    expect((await open(server).list('iris')).map(({ path }) => path)).toEqual(paths);
    expect(server.requests.map(({ operation, query }) => [operation, query.get('prefix')])).toEqual([
      ['ListObjectsV2', 'iris/'],
      ['ListObjectsV2', 'iris/'],
      ['ListObjectsV2', 'iris/'],
    ]);
  });

  it('skips folder markers and keys with empty or dotted parts', async () => {
    const server = await start({ files: { 'iris/': '', 'iris//x': '1', 'iris/../y': '2', 'iris/z': '3' } });
    expect((await open(server).list('')).map(({ path }) => path)).toEqual(['iris/z']);
  });

  it('asks for the range and for the etag that was listed', async () => {
    const server = await start({ files: { a: '0123456789' } });
    const store = open(server);
    const file = await firstOf(store.list(''));
    expect(await textOf(store.read(file, 2, 6))).toBe('2345');
    const [, get] = server.requests;
    expect(get).toMatchObject({ key: 'a', range: { start: 2, end: 6 }, ifMatch: file.etag, status: 206 });
  });

  it('rejects with "changed" for a range beyond the end', async () => {
    const server = await start({ files: { a: 'abc' } });
    const store = open(server);
    const file = await firstOf(store.list(''));
    await expect(store.read(file, 3, 5)).rejects.toMatchObject({ reason: 'changed' });
  });

  it.each([
    { status: 403, code: 'AccessDenied', reason: 'denied' },
    { status: 403, code: 'InvalidObjectState', reason: 'denied' },
    { status: 400, code: 'ExpiredToken', reason: 'denied' },
    { status: 404, code: 'NoSuchKey', reason: 'missing' },
    { status: 404, code: 'NoSuchBucket', reason: 'missing' },
    { status: 412, code: 'PreconditionFailed', reason: 'changed' },
    { status: 416, code: 'InvalidRange', reason: 'changed' },
    { status: 500, code: 'InternalError', reason: 'unreachable' },
    { status: 503, code: 'SlowDown', reason: 'unreachable' },
  ])('turns $code into "$reason"', async ({ status, code, reason }) => {
    const server = await start({ files: { 'iris/1/model.onnx': 'x' } });
    const store = open(server, { attempts: 1 });
    const file = await firstOf(store.list(''));
    server.addFault({ when: () => true, effect: { kind: 'refuse', status, code } });
    const expected = { name: 'StoreError', reason, message: expect.stringContaining(code) };
    await expect(store.list('iris')).rejects.toMatchObject(expected);
    await expect(store.read(file, 0, 1)).rejects.toMatchObject({
      ...expected,
      message: expect.stringContaining('s3://models/iris/1/model.onnx'),
    });
  });

  it('rejects with "denied" for an unknown access key and names the permission', async () => {
    const server = await start();
    const store = open(server, { credentials: { accessKeyId: 'WRONG', secretAccessKey: 'x' } });
    await expect(store.list('')).rejects.toMatchObject({
      reason: 'denied',
      message: expect.stringContaining('s3:ListBucket'),
    });
  });

  it('rejects with "denied" when there are no credentials', async () => {
    const server = await start();
    const credentials = async () => {
      throw Object.assign(new Error('Could not load credentials'), { name: 'CredentialsProviderError' });
    };
    await expect(open(server, { credentials }).list('')).rejects.toMatchObject({ reason: 'denied' });
    expect(server.requests).toEqual([]);
  });
});

describe('a request to S3', () => {
  const keysOf = (name: string) => ({ accessKeyId: name, secretAccessKey: 'secret' });

  it.each([-3_600_000, 3_600_000])('is made again by the clock of S3, which is %i ms away', async (ms) => {
    const server = await start({ files: { a: 'x' }, checksTime: true });
    const store = open(server);
    const now = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + ms);
    onTestFinished(() => void vi.restoreAllMocks());
    const file = await firstOf(store.list(''));
    expect(await textOf(store.read(file, 0, 1))).toBe('x');
    await store.write('b', contentOf('y'));
    // Only the first one is refused.
    expect(server.requests.map(({ status }) => status)).toEqual([403, 200, 206, 200]);
  });

  it('gets new credentials when they end on the way, once', async () => {
    const server = await start({ files: { a: 'x' } });
    const credentials = vi.fn(async () => keysOf('TERNIONTEST'));
    const store = open(server, { credentials });
    const file = await firstOf(store.list(''));
    expect(credentials).toHaveBeenCalledTimes(1);
    const expired = { kind: 'refuse', status: 400, code: 'ExpiredToken' } as const;
    server.addFault({ when: () => true, times: 1, effect: expired });
    expect(await textOf(store.read(file, 0, 1))).toBe('x');
    expect(credentials).toHaveBeenCalledTimes(2);
    server.addFault({ when: () => true, effect: expired });
    await expect(store.list('')).rejects.toMatchObject({ reason: 'denied' });
    expect(credentials).toHaveBeenCalledTimes(3);
    expect(server.requests).toHaveLength(5);
  });

  it.each<[string, Partial<S3Connection>, string]>([
    ['models', {}, 'https://models.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC%2B'],
    ['models', { region: undefined }, 'https://models.s3.us-east-1.amazonaws.com/a%20b/%C3%BC%2B'],
    ['models', { region: 'cn-north-1' }, 'https://models.s3.cn-north-1.amazonaws.com.cn/a%20b/%C3%BC%2B'],
    ['my.models', {}, 'https://s3.eu-west-1.amazonaws.com/my.models/a%20b/%C3%BC%2B'],
    ['My_Models', {}, 'https://s3.eu-west-1.amazonaws.com/My_Models/a%20b/%C3%BC%2B'],
    ['models', { forcePathStyle: true }, 'https://s3.eu-west-1.amazonaws.com/models/a%20b/%C3%BC%2B'],
    ['models', { endpoint: 'https://store.example/' }, 'https://models.store.example/a%20b/%C3%BC%2B'],
    ['models', { endpoint: 'http://127.0.0.1:9000' }, 'http://127.0.0.1:9000/models/a%20b/%C3%BC%2B'],
    ['models', { endpoint: 'http://[::1]:9000' }, 'http://[::1]:9000/models/a%20b/%C3%BC%2B'],
    [
      'models',
      { environment: { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' } },
      'https://models.s3-fips.dualstack.eu-west-1.amazonaws.com/a%20b/%C3%BC%2B',
    ],
  ])('for the bucket %s and %o goes to %s', (bucket, changes, url) => {
    expect(protocolOf(bucket, changes).get('a b/ü+', {}).url.href).toBe(url);
  });

  it.each([
    [301, { 'x-amz-bucket-region': 'eu-north-1' }, ''],
    [400, {}, '<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-north-1</Region></Error>'],
  ])('goes to the region that the answer %i names', (status, headers, text) => {
    const protocol = protocolOf('models', {});
    expect(protocol.redirect?.({ status, headers }, text)).toBe(true);
    expect(protocol.list('', undefined).url.host).toBe('models.s3.eu-north-1.amazonaws.com');
    // Not in a circle.
    expect(protocol.redirect?.({ status, headers }, text)).toBe(false);
    expect(protocol.redirect?.({ status: 400, headers: {} }, '<Error><Code>Other</Code></Error>')).toBe(
      false,
    );
  });

  it('reads keys that XML cannot have, as S3 escapes them', () => {
    const page = (key: string, encoding: string) =>
      protocolOf('models', {}).readPage(
        `<?xml version="1.0"?><ListBucketResult>${encoding}<Contents><Key>${key}</Key><Size>1</Size><ETag>&quot;e&quot;</ETag></Contents></ListBucketResult>`,
      );
    const encoding = '<EncodingType>url</EncodingType>';
    expect(page('a+%01%2B%25/%C3%BC', encoding).objects).toEqual([
      { key: 'a \u0001+%/ü', sizeBytes: 1, etag: '"e"' },
    ]);
    expect(page('a+%01 &lt;&#x1f600;&gt;', '').objects).toEqual([
      { key: 'a+%01 <😀>', sizeBytes: 1, etag: '"e"' },
    ]);
    expect(() => protocolOf('models', {}).readPage('<html>')).toThrow('not a listing');
  });

  function protocolOf(bucket: string, changes: Partial<S3Connection>) {
    return createS3Protocol({
      bucket,
      region: 'eu-west-1',
      endpoint: undefined,
      forcePathStyle: false,
      credentials: async () => keysOf('AKID'),
      environment: {},
      ...changes,
    });
  }
});

describe('a write to S3', () => {
  const conflict = { kind: 'refuse', status: 409, code: 'ConditionalRequestConflict' } as const;
  const isWrite = ({ operation }: S3Request) => operation === 'PutObject' || operation === 'DeleteObject';

  it('is tried again when another one came in between, and keeps its condition', async () => {
    const server = await start({ files: { a: 'one' } });
    const store = open(server);
    const file = await firstOf(store.list(''));
    server.addFault({ when: isWrite, times: 2, effect: conflict });
    const written = await store.write('a', contentOf('two'), file.etag);
    server.addFault({ when: isWrite, times: 1, effect: conflict });
    await store.remove(written);
    const sent = server.requests.filter(isWrite);
    expect(sent.map(({ status, ifMatch }) => [status, ifMatch])).toEqual([
      [409, file.etag],
      [409, file.etag],
      [200, file.etag],
      [409, written.etag],
      [204, written.etag],
    ]);
    expect(server.keys()).toEqual([]);
  });

  it('is lost when others always come in between', async () => {
    const server = await start();
    server.addFault({ when: isWrite, effect: conflict });
    await expect(open(server).write('a', contentOf('one'))).rejects.toMatchObject({
      reason: 'changed',
      message: 's3://models/a was written or removed by another writer.',
    });
  });

  it.each([
    ['PutObject', 403, 'AccessDenied', 'denied', /allow s3:PutObject on it for this server's credentials/],
    ['PutObject', 404, 'NoSuchBucket', 'missing', /does not exist/],
    ['PutObject', 400, 'BadDigest', 'unreachable', /BadDigest/],
    ['DeleteObject', 403, 'AccessDenied', 'denied', /s3:DeleteObject on it/],
    ['DeleteObject', 404, 'NoSuchBucket', 'missing', /does not exist/],
  ])('%s that is answered %s %s is not a lost race', async (operation, status, code, reason, message) => {
    const server = await start({ files: { a: 'one' } });
    const store = open(server, { attempts: 1 });
    const file = await firstOf(store.list(''));
    server.addFault({
      when: (request) => request.operation === operation,
      effect: { kind: 'refuse', status, code },
    });
    const done = operation === 'PutObject' ? store.write('b', contentOf('two')) : store.remove(file);
    await expect(done).rejects.toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  it('sends what its content is, and is refused where other bytes arrive', async () => {
    const server = await start();
    const other = { ...contentOf('two'), sha256: contentOf('six').sha256 };
    await expect(open(server).write('a', other)).rejects.toThrow('BadDigest');
    expect(server.keys()).toEqual([]);
  });

  it('of more bytes than S3 takes at once is refused before it is sent', async () => {
    const server = await start();
    const huge = { ...contentOf('x'), sizeBytes: 5 * 1024 ** 3 + 1 };
    await expect(open(server).write('a', huge)).rejects.toThrow('a has more than 5 GiB');
    expect(server.requests).toEqual([]);
  });
});
