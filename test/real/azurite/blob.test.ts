import { createHmac, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { signWithKey } from '../../../shared/azure/shared-key.ts';
import { type Environment, findStorageAccount } from '../../../shared/azure/storage-account.ts';
import { openBlobStore } from '../../../shared/stores/blob.ts';
import { post } from '../../contracts/exchanges.ts';
import { contentOf, describeModelStore } from '../../contracts/model-store.ts';
import { sendOverHttp } from '../../support/hosts/test-host.ts';
import { PROJECT } from '../../support/project.ts';
import { startCommand, temporaryFolder } from '../../support/run-command.ts';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart } from './counterpart.ts';

const VERSION = '2021-12-02';
const { name: account, proof } = findStorageAccount({
  AZURE_STORAGE_CONNECTION_STRING: 'UseDevelopmentStorage=true',
});
const key = proof?.is === 'key' ? proof.key : '';

let server: RunningServer;

beforeAll(async () => {
  server = await startServer(counterpart);
});
afterAll(() => server?.close());

/** A connection string of the emulator, with its key or with a shared access signature. */
function environmentOf(
  signature?: string,
): Environment & { readonly AZURE_STORAGE_CONNECTION_STRING: string } {
  const secret = signature === undefined ? `AccountKey=${key}` : `SharedAccessSignature=${signature}`;
  const endpoint = `${server.url}/${account}`;
  return { AZURE_STORAGE_CONNECTION_STRING: `AccountName=${account};${secret};BlobEndpoint=${endpoint}` };
}

/** What the store itself does not do. */
async function call(method: string, path: string, own: Readonly<Record<string, string>>, body?: Uint8Array) {
  const url = new URL(`${server.url}/${account}/${path}`);
  const headers = { 'x-ms-date': new Date().toUTCString(), 'x-ms-version': VERSION, ...own };
  const sizeBytes = body?.length ?? 0;
  const authorization = signWithKey({ method, url, headers, sizeBytes }, { account, key });
  const content = body === undefined ? {} : { body: Buffer.from(body) };
  const response = await fetch(url, { method, headers: { ...headers, authorization }, ...content });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}

async function createContainer(): Promise<string> {
  const container = `models-${randomUUID()}`;
  await call('PUT', `${container}?restype=container`, {});
  return container;
}

function pathOf(container: string, name: string): string {
  return `${container}/${name.split('/').map(encodeURIComponent).join('/')}`;
}

/**
 * A signature for all containers of the account. Source: "Create an account SAS" in the reference of Azure Storage.
 *
 * @param permissions as letters: `rl` to read and list
 */
function signatureOf(permissions: string, end = new Date(Date.now() + 3_600_000)): string {
  const expiry = end.toISOString().replace(/\.\d+/, '');
  const text = [account, permissions, 'b', 'sco', '', expiry, '', 'http,https', VERSION, '', ''].join('\n');
  const sig = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
  return new URLSearchParams({
    sv: VERSION,
    ss: 'b',
    srt: 'sco',
    sp: permissions,
    se: expiry,
    spr: 'http,https',
    sig,
  }).toString();
}

for (const [name, prefix, signature] of [
  ['a container of Azurite', '', () => undefined],
  ['a prefix in a container of Azurite', 'team a/models/', () => undefined],
  ['a container of Azurite with a shared access signature', '', () => signatureOf('rwdlc')],
] as const) {
  describeModelStore(name, async (files) => {
    const container = files ? await createContainer() : 'not-there';
    const write = async (path: string, content: string | Uint8Array) => {
      const own = { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'application/octet-stream' };
      await call('PUT', pathOf(container, prefix + path), own, Buffer.from(content));
    };
    for (const [path, content] of Object.entries(files ?? {})) await write(path, content);
    return {
      store: openBlobStore(`az://${container}/${prefix}`, { environment: environmentOf(signature()) }),
      write,
      remove: async (path) => {
        await call('DELETE', pathOf(container, prefix + path), {});
      },
      close: async () => undefined,
    };
  });
}

describe('a repository in Azurite', () => {
  it('lists more files than one answer of Azure has', async () => {
    const container = await createContainer();
    const paths = Array.from({ length: 5_005 }, (_, index) => `many/1/${String(index).padStart(4, '0')}`);
    const left = [...paths];
    const upload = async () => {
      for (let path = left.pop(); path !== undefined; path = left.pop())
        await call('PUT', pathOf(container, path), { 'x-ms-blob-type': 'BlockBlob' });
    };
    await Promise.all(Array.from({ length: 8 }, upload));
    let parts = 0;
    const store = openBlobStore(`az://${container}`, { environment: environmentOf() });
    const files = await store.list('many', undefined, () => (parts += 1));
    expect(files.map(({ path }) => path)).toEqual(paths);
    expect(parts).toBe(2);
  });

  it.each(['a b+c%20d.txt', "q?#&=;:@$,!'()*[].txt", 'é ü 語 😀', 'x&lt;y&#65;'])(
    'lists, reads and writes a file with the name %j',
    async (path) => {
      const store = openBlobStore(`az://${await createContainer()}`, { environment: environmentOf() });
      const written = await store.write(path, contentOf('one'));
      expect(await store.list('')).toEqual([written]);
      expect(await store.load(path, written.etag)).toMatchObject({ is: 'unchanged' });
      expect(await store.load(path)).toMatchObject({ is: 'there', content: Buffer.from('one') });
    },
  );

  it('is refused with a wrong key, with a signature that has ended, and for what a signature lacks', async () => {
    const container = await createContainer();
    const openWith = (environment: Environment) => openBlobStore(`az://${container}`, { environment });
    const wrong = Buffer.from('wrong').toString('base64');
    const text = `AccountName=${account};AccountKey=${wrong};BlobEndpoint=${server.url}/${account}`;
    await expect(openWith({ AZURE_STORAGE_CONNECTION_STRING: text }).list('')).rejects.toMatchObject({
      reason: 'denied',
      message: expect.stringContaining('Azure: AuthorizationFailure'),
    });
    const ended = openWith(environmentOf(signatureOf('rl', new Date(Date.now() - 3_600_000))));
    await expect(ended.list('')).rejects.toMatchObject({ reason: 'denied' });
    const reader = openWith(environmentOf(signatureOf('rl')));
    expect(await reader.list('')).toEqual([]);
    const refused = reader.write('a', contentOf('one'));
    await expect(refused).rejects.toMatchObject({
      reason: 'denied',
      message: expect.stringContaining('allow the role "Storage Blob Data Contributor"'),
    });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('sig') });
  });

  it('refuses other bytes than those of the MD5, and a write to what has a lease', async () => {
    const container = await createContainer();
    const store = openBlobStore(`az://${container}`, { environment: environmentOf() });
    const [first, other] = [contentOf('two'), contentOf('six')];
    let opened = 0;
    const changing = { ...first, open: () => (opened++ === 0 ? first : other).open() };
    await expect(store.write('a', changing)).rejects.toThrow('Md5Mismatch');
    expect(await store.list('')).toEqual([]);
    const file = await store.write('a', first);
    await call('PUT', `${container}/a?comp=lease`, {
      'x-ms-lease-action': 'acquire',
      'x-ms-lease-duration': '60',
    });
    await expect(store.write('a', other, file.etag)).rejects.toMatchObject({
      reason: 'denied',
      message: expect.stringContaining('LeaseIdMissing'),
    });
  });

  it('gets models by "ternion add", and of several at once each gets a version of its own', async () => {
    const { url, run } = await openRepository();
    const added = await Promise.all(
      ['models/iris/1', 'models/iris/2', 'models/digits/1'].map((folder) =>
        run('add', join(PROJECT, folder), '-r', url, '-n', 'mine', '--json'),
      ),
    );
    expect(added.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
      [0, ''],
    ]);
    expect(added.map(({ stdout }) => JSON.parse(stdout).version).sort()).toEqual(['1', '2', '3']);
  });

  it('is served by "ternion serve"', async () => {
    const { run, environment } = await openRepository();
    expect((await run('add', join(PROJECT, 'models/iris/2'), '-n', 'iris')).code).toBe(0);
    const serve = startCommand(['serve', '--port', '0', '--grace', '0'], '', environment);
    onTestFinished(() => void serve.process.kill('SIGKILL'));
    const port = Number(new URL(await serve.seen(/http:\/\/localhost:\d+/)).port);
    const request = post('/models/iris/predict', { features: [5.1, 3.5, 1.4, 0.2] });
    expect(JSON.parse((await sendOverHttp(port, request)).body.toString())).toMatchObject({
      prediction: 'setosa',
      model_version: '1',
    });
    serve.process.kill('SIGTERM');
    expect(await serve.outcome).toMatchObject({ code: 0 });
  });
});

/** An empty repository below a prefix, and the command of this project. */
async function openRepository() {
  const url = `az://${await createContainer()}/prod`;
  const environment = {
    MODEL_CACHE_FOLDER: await temporaryFolder(),
    INTRA_OP_THREADS: '1',
    MODEL_REPOSITORY: url,
    ...environmentOf(),
  };
  return {
    url,
    environment,
    run: (...args: readonly string[]) => startCommand(args, '', environment).outcome,
  };
}
