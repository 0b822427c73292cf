import { afterEach, describe, expect, it } from 'vitest';
import { type BlobStoreOptions, openBlobStore } from '../../../shared/stores/blob.ts';
import { StoreError } from '../../../shared/stores/model-store.ts';
import { contentOf, textOf } from '../../contracts/model-store.ts';
import { describeRemoteStore, firstOf } from '../../contracts/remote-store.ts';
import type { BlobRequest } from '../../support/blob-protocol.ts';
import {
  ACCOUNT,
  type BlobServer,
  type BlobServerOptions,
  KEY,
  SIGNATURE,
  startBlobServer,
} from '../../support/blob-server.ts';

const HOUR_MS = 3_600_000;
const servers: BlobServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options?: BlobServerOptions): Promise<BlobServer> {
  const server = await startBlobServer(options);
  servers.push(server);
  return server;
}

function open(server: BlobServer, options: Partial<BlobStoreOptions> = {}, url = 'az://models') {
  return openBlobStore(url, { environment: server.environment, ...options });
}

/** A store whose requests are proved by tokens, of which each call of the source gives the next one. */
function openWithTokens(server: BlobServer, ...tokens: readonly string[]) {
  const left = [...tokens];
  return open(server, {
    environment: {
      AZURE_STORAGE_CONNECTION_STRING: `BlobEndpoint=${server.endpoint}`,
      AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1',
    },
    otherwise: async () => ({ token: left.shift() ?? 'none', expiration: new Date(Date.now() + HOUR_MS) }),
  });
}

describeRemoteStore('a container', {
  start: async (files) => await startBlobServer(files ? { files } : { container: 'another' }),
  open: (server, limits, path) => open(server, limits, `az://${path}`),
  busy: [
    { status: 503, code: 'ServerBusy' },
    { status: 503, code: 'ServerBusy' },
  ],
});

describe('openBlobStore', () => {
  it.each([
    ['az://models', 'az://models'],
    ['az://models/', 'az://models'],
    ['az://models//a/b//', 'az://models/a/b'],
    ['az://shop.blob.core.windows.net/models', 'az://shop.blob.core.windows.net/models'],
    ['az://shop.blob.core.windows.net//models/a b/', 'az://shop.blob.core.windows.net/models/a b'],
  ])('shows %s without a slash at the end', (url, shown) => {
    expect(openBlobStore(url, { environment: {} }).url).toBe(shown);
  });

  it.each([
    'az://',
    'az:///a',
    'https://models/a',
    'az:models',
    'az://shop.blob.core.windows.net',
    'az://shop.blob.core.windows.net/',
    'az://shop.blob.core.windows.net/mod.els',
  ])('refuses %s, which has no container', (url) => {
    expect(() => openBlobStore(url, { environment: {} })).toThrow(
      'has no container: write az://container/prefix.',
    );
  });

  it.each<[string, BlobStoreOptions['environment'], string]>([
    ['az://models', {}, 'there is no account; set AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING'],
    ['az://evil.example.com/models', {}, '"evil.example.com" is not a server of Azure'],
  ])('says why %s cannot be opened', async (url, environment, reason) => {
    await expect(openBlobStore(url, { environment }).list('')).rejects.toMatchObject({
      name: 'StoreError',
      reason: 'missing',
      message: expect.stringContaining(`${url} cannot be opened: ${reason}`),
    });
  });

  it('finds the account in the URL if it is that of the connection string', async () => {
    const server = await start({ files: { 'a/b': 'x' } });
    const { host } = new URL(server.endpoint);
    const store = open(server, {}, `az://${host}/models/a`);
    const file = await firstOf(store.list(''));
    expect(await textOf(store.read(file, 0, 1))).toBe('x');
    await expect(store.read({ ...file, path: 'c' }, 0, 1)).rejects.toThrow(
      `az://${host}/models/a/c does not exist`,
    );
  });

  it('walks through all pages of a listing', async () => {
    const paths = Array.from({ length: 7 }, (_, index) => `iris/${index}/a&b <c>.txt`);
    const server = await start({
      files: Object.fromEntries(paths.map((path) => [path, path])),
      pageNames: 3,
    });
    expect((await open(server).list('iris')).map(({ path }) => path)).toEqual(paths);
    expect(server.requests.map(({ operation, query }) => [operation, query.get('prefix')])).toEqual([
      ['List Blobs', 'iris/'],
      ['List Blobs', 'iris/'],
      ['List Blobs', 'iris/'],
    ]);
  });

  it('skips folders, and names with empty or dotted parts', async () => {
    const files = { 'iris/': '', 'iris//x': '1', 'iris/../y': '2', 'iris/z': '3', 'iris/(folder)': '' };
    const server = await start({ files });
    expect((await open(server).list('')).map(({ path }) => path)).toEqual(['iris/z']);
  });

  it.each(['a b+c%20d.txt', "q?#&=;:@$,!'()*[].txt", 'é ü 語 😀', 'bell \u0007 %41', 'x&lt;y&#65;'])(
    'lists, reads and writes a file with the name %j',
    async (path) => {
      const server = await start({ files: { [path]: 'one' } });
      const store = open(server);
      const file = await firstOf(store.list(''));
      expect(file.path).toBe(path);
      expect(await textOf(store.read(file, 0, 3))).toBe('one');
      const written = await store.write(path, contentOf('two'), file.etag);
      expect(await store.load(path, written.etag)).toMatchObject({ is: 'unchanged' });
      expect(server.keys()).toEqual([path]);
    },
  );

  it('asks for the range, and gives the etag of a listing the form of a header', async () => {
    const server = await start({ files: { a: '0123456789' } });
    const store = open(server);
    const file = await firstOf(store.list(''));
    expect(await textOf(store.read(file, 2, 6))).toBe('2345');
    const [, get] = server.requests;
    expect(get).toMatchObject({ key: 'a', range: { start: 2, end: 6 }, status: 206 });
    expect(file.etag).toMatch(/^"0x8D/);
  });

  it('rejects with "changed" for a range beyond the end', async () => {
    const server = await start({ files: { a: 'abc' } });
    const store = open(server);
    const file = await firstOf(store.list(''));
    await expect(store.read(file, 3, 5)).rejects.toMatchObject({ reason: 'changed' });
  });

  it.each([
    { status: 403, code: 'AuthenticationFailed', reason: 'denied' },
    { status: 403, code: 'AuthorizationPermissionMismatch', reason: 'denied' },
    { status: 403, code: 'AuthorizationFailure', reason: 'denied' },
    { status: 401, code: 'InvalidAuthenticationInfo', reason: 'denied' },
    { status: 409, code: 'BlobArchived', reason: 'denied' },
    { status: 404, code: 'BlobNotFound', reason: 'missing' },
    { status: 404, code: 'ContainerNotFound', reason: 'missing' },
    { status: 409, code: 'ContainerBeingDeleted', reason: 'missing' },
    { status: 400, code: 'InvalidResourceName', reason: 'missing' },
    { status: 412, code: 'ConditionNotMet', reason: 'changed' },
    { status: 416, code: 'InvalidRange', reason: 'changed' },
    { status: 400, code: 'InvalidQueryParameterValue', reason: 'unreachable' },
    { status: 500, code: 'InternalError', reason: 'unreachable' },
    { status: 503, code: 'ServerBusy', reason: 'unreachable' },
  ])('turns $code into "$reason"', async ({ status, code, reason }) => {
    const server = await start({ files: { 'iris/1/model.onnx': 'x' } });
    const store = open(server, { attempts: 1 });
    const file = await firstOf(store.list(''));
    server.addFault({ when: () => true, effect: { kind: 'refuse', status, code } });
    const expected = {
      name: 'StoreError',
      reason,
      message: expect.stringContaining(`Azure: ${code} ${code} for`),
    };
    await expect(store.list('iris')).rejects.toMatchObject(expected);
    const error = await failure(store.read(file, 0, 1));
    expect(error).toMatchObject({ name: 'StoreError', reason });
    expect(error.message).toContain('az://models/iris/1/model.onnx');
    expect(error.message).not.toMatch(/DETAIL|RequestId/);
  });
});

describe('a request to Azure', () => {
  it('with a wrong key is refused, and the message names the role but not the key', async () => {
    const server = await start({ files: { a: 'x' } });
    const wrong = Buffer.from('another key').toString('base64');
    const environment = {
      AZURE_STORAGE_CONNECTION_STRING: `AccountName=${ACCOUNT};AccountKey=${wrong};BlobEndpoint=${server.endpoint}`,
    };
    const error = await failure(open(server, { environment }).list(''));
    expect(error).toMatchObject({ reason: 'denied' });
    expect(error.message).toContain(
      'az://models/ cannot be accessed: allow the role "Storage Blob Data Reader" on it',
    );
    expect(error.message).not.toContain(wrong);
    expect(server.requests).toHaveLength(1);
  });

  it.each([-HOUR_MS, HOUR_MS])(
    'is made again by the clock of a store that differs by %i ms',
    async (aheadMs) => {
      const server = await start({ files: { a: 'x' }, aheadMs });
      const store = open(server);
      const file = await firstOf(store.list(''));
      expect(await textOf(store.read(file, 0, 1))).toBe('x');
      expect(server.requests.map(({ status }) => status)).toEqual([403, 200, 206]);
    },
  );

  it('with a shared access signature has it in its query, and no message has it', async () => {
    const server = await start({ files: { a: 'x' }, pageNames: 1 });
    const text = `BlobEndpoint=${server.endpoint};SharedAccessSignature=`;
    const openWith = (signature: string) =>
      open(server, { environment: { AZURE_STORAGE_CONNECTION_STRING: text + signature } });
    const store = openWith(SIGNATURE);
    const file = await firstOf(store.list(''));
    const written = await store.write('b', contentOf('two'));
    expect(await textOf(store.read(file, 0, 1))).toBe('x');
    await store.remove(written);
    expect(server.requests.map(({ query, headers }) => [query.get('sig'), headers.authorization])).toEqual(
      Array.from({ length: 4 }, () => ['te+st=', undefined]),
    );
    const error = await failure(openWith('?sv=2021-12-02&sig=wrong').list(''));
    expect(error).toMatchObject({ reason: 'denied' });
    await server.close();
    servers.splice(0);
    for (const { message } of [error, await failure(store.list('')), await failure(store.read(file, 0, 1))])
      expect(message).not.toMatch(/sig=|wrong|te%2Bst/);
  });

  it('whose token ends on the way is made once more with a new one', async () => {
    const server = await start({ files: { a: 'x' } });
    for (const token of ['first', 'second']) server.tokens.add(token);
    const store = openWithTokens(server, 'first', 'second', 'third');
    const file = await firstOf(store.list(''));
    server.tokens.delete('first');
    expect(await textOf(store.read(file, 0, 1))).toBe('x');
    expect(server.requests.map(({ status, headers }) => [status, headers.authorization])).toEqual([
      [200, 'Bearer first'],
      [401, 'Bearer first'],
      [206, 'Bearer second'],
    ]);
  });

  it('is refused after a second token that is not accepted', async () => {
    const server = await start();
    const error = await failure(openWithTokens(server, 'first', 'second', 'third').list(''));
    expect(error).toMatchObject({ reason: 'denied' });
    expect(error.message).not.toMatch(/first|second|third/);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first',
      'Bearer second',
    ]);
  });

  it('is not sent without credentials, nor with a token over http://', async () => {
    const server = await start();
    const nowhere = { AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1' };
    const without = { AZURE_STORAGE_CONNECTION_STRING: `BlobEndpoint=${server.endpoint}`, ...nowhere };
    await expect(open(server, { environment: without }).list('')).rejects.toMatchObject({
      reason: 'denied',
      message: expect.stringContaining('There are no credentials for Azure: AZURE_STORAGE_KEY,'),
    });
    const open80 = { AZURE_STORAGE_CONNECTION_STRING: 'BlobEndpoint=http://blobs.example.com', ...nowhere };
    await expect(open(server, { environment: open80 }).list('')).rejects.toMatchObject({
      reason: 'denied',
      message: 'Tokens of Microsoft Entra are not sent to http://blobs.example.com: it needs https://.',
    });
    expect(server.requests).toEqual([]);
  });

  it('is tried again when the source of its token does not answer', async () => {
    const server = await start({ files: { a: 'x' } });
    const environment = {
      AZURE_STORAGE_CONNECTION_STRING: `BlobEndpoint=${server.endpoint}`,
      IDENTITY_ENDPOINT: 'http://127.0.0.1:1/token',
      IDENTITY_HEADER: 'secret',
    };
    await expect(open(server, { environment, attempts: 2 }).list('')).rejects.toMatchObject({
      reason: 'unreachable',
      message: expect.stringContaining('The endpoint of the identity cannot be reached: ECONNREFUSED'),
    });
  });
});

describe('a write to Azure', () => {
  const isWrite = ({ operation }: BlobRequest) => operation === 'Put Blob' || operation === 'Delete Blob';

  it.each([
    ['BlobAlreadyExists', 409],
    ['ConditionNotMet', 412],
  ])('that is answered %s is a lost race', async (code, status) => {
    const server = await start();
    server.addFault({ when: isWrite, effect: { kind: 'refuse', status, code } });
    await expect(open(server).write('a', contentOf('one'))).rejects.toMatchObject({
      reason: 'changed',
      message: 'az://models/a was written or removed by another writer.',
    });
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    [
      'Put Blob',
      403,
      'AuthorizationPermissionMismatch',
      'denied',
      /allow the role "Storage Blob Data Contributor"/,
    ],
    ['Put Blob', 404, 'ContainerNotFound', 'missing', /does not exist/],
    ['Put Blob', 400, 'Md5Mismatch', 'unreachable', /Md5Mismatch/],
    ['Put Blob', 412, 'LeaseIdMissing', 'denied', /LeaseIdMissing/],
    ['Put Blob', 409, 'BlobImmutableDueToPolicy', 'denied', /BlobImmutableDueToPolicy/],
    ['Delete Blob', 403, 'AuthorizationFailure', 'denied', /"Storage Blob Data Contributor" on it/],
    ['Delete Blob', 404, 'ContainerNotFound', 'missing', /does not exist/],
    ['Delete Blob', 409, 'SnapshotsPresent', 'denied', /SnapshotsPresent/],
  ])('%s that is answered %s %s is not a lost race', async (operation, status, code, reason, message) => {
    const server = await start({ files: { a: 'one' } });
    const store = open(server, { attempts: 1 });
    const file = await firstOf(store.list(''));
    server.addFault({
      when: (request) => request.operation === operation,
      effect: { kind: 'refuse', status, code },
    });
    const done = operation === 'Put Blob' ? store.write('b', contentOf('two')) : store.remove(file);
    await expect(done).rejects.toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  it('sends the MD5 of its content, and is refused where other bytes arrive', async () => {
    const server = await start();
    const [first, other] = [contentOf('two'), contentOf('six')];
    let opened = 0;
    const changing = { ...first, open: () => (opened++ === 0 ? first : other).open() };
    await expect(open(server).write('a', changing)).rejects.toThrow('Md5Mismatch');
    await expect(open(server).write('a', { ...first, sha256: other.sha256 })).rejects.toMatchObject({
      reason: 'corrupt',
    });
    expect(server.requests).toHaveLength(1);
    expect(server.keys()).toEqual([]);
  });

  it('of more bytes than Azure takes at once is refused before it is sent', async () => {
    const server = await start();
    const huge = { ...contentOf('x'), sizeBytes: 5000 * 1024 ** 2 + 1 };
    await expect(open(server).write('a', huge)).rejects.toThrow('a has more than 5000 MiB');
    expect(server.requests).toEqual([]);
  });
});

describe('the key of an account', () => {
  it('signs each kind of request as the server does', async () => {
    const server = await start({ files: { a: 'x' } });
    const environment = {
      AZURE_STORAGE_CONNECTION_STRING: `BlobEndpoint=${server.endpoint}`,
      AZURE_STORAGE_ACCOUNT: ACCOUNT,
      AZURE_STORAGE_KEY: KEY,
    };
    const store = open(server, { environment });
    const file = await firstOf(store.list('', undefined));
    await store.load('a', file.etag);
    await textOf(store.read(file, 0, 1));
    const written = await store.write('b', contentOf(''));
    await store.remove(written);
    expect(server.requests.map(({ operation, status }) => [operation, status])).toEqual([
      ['List Blobs', 200],
      ['Get Blob', 304],
      ['Get Blob', 206],
      ['Put Blob', 201],
      ['Delete Blob', 202],
    ]);
  });
});

async function failure(promise: Promise<unknown>): Promise<StoreError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof StoreError) return error;
  throw new Error('expected a StoreError');
}
