import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openRemoteModel } from '../../../../functions/cli/sources/download-model.ts';
import { locateOnHub, parseHubAddress } from '../../../../functions/cli/sources/hugging-face.ts';
import { externalInitializer } from '../../../support/build-model.ts';
import { type HubServer, type HubServerOptions, startHubServer } from '../../../support/hf-server.ts';
import { sumModel } from '../../../support/outside-weights.ts';
import { PROJECT } from '../../../support/project.ts';
import { type Outcome, startCommand, temporaryFolder } from '../../../support/run-command.ts';
import { readFolder } from '../../../support/store-faults.ts';

const EMBEDDER = join(PROJECT, 'test/fixtures/formats/optimum/sentence-mean');
const IRIS = readFolder(join(PROJECT, 'models/iris/1'));
const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);
const sum = (location: string) =>
  sumModel('none', 'initializer', (name) => externalInitializer(name, location));

/** What a failed download says. */
async function failureOf(download: Promise<Buffer>): Promise<string> {
  return await download.then(
    () => 'it did not fail',
    (error: unknown) => String(error),
  );
}

interface Hub {
  readonly hub: HubServer;
  readonly folder: string;
  readonly repository: string;
  readonly environment: Readonly<Record<string, string>>;
  add(...args: readonly string[]): Promise<Outcome>;
}

async function startHub(
  options: HubServerOptions,
  more: Readonly<Record<string, string>> = {},
): Promise<Hub> {
  const hub = await startHubServer(options);
  onTestFinished(() => hub.close());
  const folder = await temporaryFolder();
  const repository = join(folder, 'repository');
  const environment = { HF_ENDPOINT: hub.url, MODEL_CACHE_FOLDER: join(folder, 'cache'), ...more };
  const add = (...args: readonly string[]) =>
    startCommand(['add', ...args, '-r', repository], '', environment).outcome;
  return { hub, folder, repository, environment, add };
}

/** What the folder of downloads still has, without the command's own files. */
async function downloadsOf(folder: string): Promise<readonly string[]> {
  const [owned = ''] = await readdir(join(folder, 'cache'));
  return (await readdir(join(folder, 'cache', owned))).filter((name) => !name.startsWith('.'));
}

describe('the address of a model on the Hub', () => {
  const at = (repo: string, revision = 'main', folder = '') => ({ repo, revision, folder });

  it.each([
    ['hf://owner/repo', at('owner/repo')],
    ['hf://owner/repo/', at('owner/repo')],
    ['hf://owner/repo@v1.0', at('owner/repo', 'v1.0')],
    ['hf://owner/repo@v1/onnx/small', at('owner/repo', 'v1', 'onnx/small')],
    ['hf://owner/repo/onnx/', at('owner/repo', 'main', 'onnx')],
    ['hf://owner/repo@refs/pr/1', at('owner/repo', 'refs/pr/1')],
    ['hf://owner/repo@refs/pr/1/onnx', at('owner/repo', 'refs/pr/1', 'onnx')],
    ['hf://owner/repo@feature%2Fa', at('owner/repo', 'feature/a')],
  ])('is read: %s', (address, expected) => {
    expect(parseHubAddress(address)).toEqual(expected);
  });

  it.each([
    'hf://gpt2',
    'hf:owner/repo',
    'hf://a/../b',
    'hf://a:b@c/d',
    'hf://a/b@',
    'hf://a/b/c//d',
    'hf://a/b/..',
  ])('is refused if it is another one: %s', (address) => {
    expect(() => parseHubAddress(address)).toThrow(
      /is not the address of a model; expected hf:\/\/owner\/repo/,
    );
  });
});

describe('ternion add of a model on the Hub', () => {
  it('publishes the same files as the folder that was downloaded by hand, and downloads no others', async () => {
    const weights = { 'model.safetensors': Buffer.alloc(1000), 'pytorch_model.bin': Buffer.alloc(1000) };
    const files = { ...readFolder(EMBEDDER), ...weights, '.gitattributes': 'x', 'README.md': '# x' };
    const { hub, folder, repository, add } = await startHub({
      files: { ...files, 'onnx/model_q4.onnx': sum('q'), 'onnx/model_q4.onnx_data': floats(1, 2) },
      pageSize: 3,
    });
    const { code, stdout, stderr } = await add('hf://owner/flowers');
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^downloads \d files \([\d.]+ kB\) of owner\/flowers at 89abcde\n$/),
    ]);
    expect(stdout).toMatch(/^flowers\/1 is in /);
    const byHand = join(folder, 'by-hand');
    await cp(EMBEDDER, join(byHand, 'flowers'), { recursive: true });
    const local = join(folder, 'local');
    await startCommand(['add', join(byHand, 'flowers'), '-r', local, '--no-lineage']).outcome;
    const published = readFolder(join(repository, 'flowers/1'));
    const lineage = String(published['lineage.json']);
    delete published['lineage.json'];
    delete published['files.json'];
    const expected = readFolder(join(local, 'flowers/1'));
    delete expected['files.json'];
    expect(published).toEqual(expected);
    expect(JSON.parse(lineage)).toEqual({
      source: 'hf://owner/flowers',
      huggingFace: { repo: 'owner/flowers', commit: hub.commit },
    });
    const asked = [...hub.requests, ...hub.contentRequests].map(({ path }) => decodeURIComponent(path));
    expect(asked.filter((path) => /safetensors|\.bin|q4|README|gitattributes/.test(path))).toEqual([]);
    expect(asked.filter((path) => path.includes('cursor='))).toHaveLength(
      Math.ceil((Object.keys(files).length + 3) / 3) - 1,
    );
    // Nothing is left on the disk.
    expect(await downloadsOf(folder)).toEqual([]);
  });

  it('takes one graph of several, with weights that only the graph names', async () => {
    const { hub, repository, folder, add } = await startHub({
      files: {
        'onnx/model_fp16.onnx': sum('model_fp16.onnx_data'),
        'onnx/model_fp16.onnx_data': floats(10, 20),
        'onnx/model_q4.onnx': sum('q4.weights'),
        'onnx/q4.weights': floats(30, 40),
      },
    });
    const several = await add('hf://owner/flowers');
    expect([several.code, several.stderr]).toEqual([
      1,
      'The model cannot be served: it has several graphs: onnx/model_fp16.onnx, onnx/model_q4.onnx; choose one with "file" in its model.json, or with ternion add --file onnx/model_fp16.onnx.\n',
    ]);
    expect(hub.contentRequests).toEqual([]);
    const none = await add('hf://owner/flowers', '--file', 'model.onnx');
    expect([none.code, none.stderr]).toEqual([
      2,
      '--file "model.onnx" is not a graph in "hf://owner/flowers"; its graphs are: onnx/model_fp16.onnx, onnx/model_q4.onnx.\n',
    ]);
    for (const [file, weights, answer] of [
      ['onnx/model_q4.onnx', 'q4.weights', '{"y":[[31,42]]}\n'],
      ['onnx/model_fp16.onnx', 'model_fp16.onnx_data', '{"y":[[11,22]]}\n'],
    ] as const) {
      const { code, stderr } = await add('hf://owner/flowers@v1', '--file', file, '--name', 'm');
      expect(code, stderr).toBe(0);
      const predicted = startCommand(['predict', 'm', '{"inputs": {"x": [[1, 2]]}}', '-r', repository]);
      expect((await predicted.outcome).stdout).toBe(answer);
      const [version] = (await readdir(join(repository, 'm'))).sort().reverse();
      expect(await readdir(join(repository, 'm', version ?? '', 'onnx'))).toEqual(
        [file.split('/')[1], weights].sort(),
      );
    }
    expect(await downloadsOf(folder)).toEqual([]);
  });

  it('takes a folder of a repository, a renamed repository, and the token only to the Hub', async () => {
    const files = Object.fromEntries(Object.entries(IRIS).map(([path, bytes]) => [`small/${path}`, bytes]));
    const { hub, repository, add } = await startHub(
      { files, token: 'hf_secret', newName: 'team/plants' },
      { HF_TOKEN: 'hf_secret' },
    );
    const { code, stdout, stderr } = await add('hf://owner/flowers@refs/pr/1/small');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^small\/1 is in /);
    expect(JSON.parse(await readFile(join(repository, 'small/1/lineage.json'), 'utf8'))).toEqual({
      source: 'hf://owner/flowers@refs/pr/1/small',
      huggingFace: { repo: 'team/plants', commit: hub.commit },
    });
    expect(new Set(hub.requests.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer hf_secret']),
    );
    expect(hub.contentRequests.length).toBeGreaterThan(0);
    expect(new Set(hub.contentRequests.map(({ authorization }) => authorization))).toEqual(
      new Set([undefined]),
    );
    const noGraph = await add('hf://owner/flowers');
    expect([noGraph.code, noGraph.stderr]).toEqual([
      1,
      '"hf://owner/flowers" holds no model: no *.onnx and no onnx/*.onnx. It has graphs in other folders; name one of them: small.\n',
    ]);
    const aFile = await add('hf://owner/flowers/small/model.onnx');
    expect([aFile.code, aFile.stderr]).toEqual([
      2,
      '"hf://owner/flowers/small/model.onnx" is a file; name its folder, and the graph with --file model.onnx.\n',
    ]);
    const nothing = await add('hf://owner/flowers/large');
    expect([nothing.code, nothing.stderr]).toEqual([
      1,
      'revision "main" of owner/flowers has no folder "large".\n',
    ]);
  });

  it('keeps the downloads of a model that is not published, for another try', async () => {
    const { hub, folder, add } = await startHub({ files: IRIS });
    expect((await add('hf://owner/flowers')).code).toBe(0);
    expect((await add('hf://owner/flowers', '--version', '1')).stderr).toContain('has a version 1 already');
    expect(await downloadsOf(folder)).toHaveLength(1);
    const count = hub.contentRequests.length;
    expect((await add('hf://owner/flowers')).stdout).toMatch(/^flowers\/2 is in /);
    expect(hub.contentRequests).toHaveLength(count);
    expect(await downloadsOf(folder)).toEqual([]);
  });
});

describe('a repository that cannot be read', () => {
  const files = { 'model.safetensors': 'x', 'config.json': '{}' };

  it.each<[string, HubServerOptions, string, Record<string, string>, string]>([
    [
      'is missing or private',
      { files, token: 'a' },
      'hf://owner/flowers',
      {},
      'owner/flowers does not exist on {host}, or is private: set HF_TOKEN to a token of an account that may read it.',
    ],
    [
      'is private for this token',
      { files, token: 'a' },
      'hf://owner/flowers',
      { HF_TOKEN: 'b' },
      'owner/flowers does not exist on {host}, or is private: the account of HF_TOKEN may not read it.',
    ],
    [
      'is gated',
      { files, token: 'a', isGated: true },
      'hf://owner/flowers',
      {},
      'owner/flowers is gated on {host}: its owners let only accounts read it that have accepted its conditions at https://{host}/owner/flowers; then set HF_TOKEN to a token of such an account.',
    ],
    [
      'has no such revision',
      { files },
      'hf://owner/flowers@v9',
      {},
      'revision "v9" of owner/flowers does not exist on {host}.',
    ],
    [
      'has no graph',
      { files },
      'hf://owner/flowers',
      {},
      '"hf://owner/flowers" holds no model: no *.onnx and no onnx/*.onnx. Its model.safetensors has weights that are not in ONNX; export it first, for example with optimum-cli export onnx.',
    ],
    [
      'has a path out of its folder',
      { files: { ...IRIS, x: 'x' }, listed: (path) => (path === 'x' ? '../../x.json' : path) },
      'hf://owner/flowers',
      {},
      'owner/flowers on {host} has the path "../../x.json"; expected a path below its folder, of at most 600 bytes.',
    ],
    [
      'continues elsewhere',
      { files, pageSize: 1, pageHost: 'http://127.0.0.2:1' },
      'hf://owner/flowers',
      {},
      '{host} continues its list of files on another host, which is not followed.',
    ],
  ])('%s', async (_, options, address, more, expected) => {
    const { hub, add } = await startHub(options, more);
    const { stderr, code } = await add(address);
    expect([code, stderr]).toEqual([1, `${expected.replaceAll('{host}', new URL(hub.url).host)}\n`]);
  });

  it.each([
    ['http://models.example.com', 'HF_TOKEN is not sent to http://models.example.com: it needs https://.'],
    [
      'https://me:secret@models.example.com',
      'HF_ENDPOINT must be an address of https:// or http://, without a user.',
    ],
    ['ftp://models.example.com', 'HF_ENDPOINT must be an address of https:// or http://, without a user.'],
  ])('because of HF_ENDPOINT=%s', async (HF_ENDPOINT, expected) => {
    const { add } = await startHub({ files }, { HF_ENDPOINT, HF_TOKEN: 'hf_secret' });
    const { code, stderr } = await add('hf://owner/flowers');
    expect([code, stderr]).toEqual([2, `${expected}\n`]);
  });
});

describe('a download from the Hub', () => {
  const GRAPH = Buffer.from(IRIS['model.onnx'] ?? '');
  const notes: string[] = [];
  const output = { note: (text: string) => void notes.push(text) };

  /** Downloads with short pauses, and gives the graph that has arrived. */
  async function download({ hub, folder }: Hub, waits: number[] = []): Promise<Buffer> {
    process.env.MODEL_CACHE_FOLDER = join(folder, 'cache');
    onTestFinished(() => void delete process.env.MODEL_CACHE_FOLDER);
    const model = await locateOnHub(
      'hf://owner/flowers',
      { HF_ENDPOINT: hub.url },
      { silenceMs: 400, wait: async (milliseconds) => void waits.push(milliseconds) },
    );
    const source = await openRemoteModel({ ...model, partBytes: 20_000 }, undefined, output);
    onTestFinished(() => source.close(true));
    return await readFile(join(source.path, 'model.onnx'));
  }

  const isGraph = ({ path }: { readonly path: string }) => path.startsWith('/model.onnx');

  it('continues where a connection was cut or went silent', async () => {
    const started = await startHub({ files: IRIS });
    const { hub } = started;
    hub.addFault({ when: isGraph, times: 1, effect: { kind: 'cut', afterBytes: 5000 } });
    hub.addFault({ when: isGraph, times: 1, effect: { kind: 'hang', afterBytes: 7000 } });
    hub.addFault({ when: isGraph, times: 1, effect: { kind: 'slow', chunkBytes: 4000, pauseMs: 200 } });
    expect(await download(started)).toEqual(GRAPH);
    const starts = hub.contentRequests
      .filter(isGraph)
      .map(({ range }) => Number(/\d+/.exec(range ?? '')?.[0]));
    expect(starts.some((start) => start % 20_000 === 5000)).toBe(true);
    expect(starts.some((start) => start % 20_000 === 7000)).toBe(true);
    // Nothing came twice.
    expect(hub.contentRequests.filter(isGraph).reduce((all, { sentBytes }) => all + sentBytes, 0)).toBe(
      GRAPH.length,
    );
  });

  it('gives up after five tries, and the next command needs only what is missing', async () => {
    const started = await startHub({ files: IRIS });
    const { hub } = started;
    hub.addFault({ when: isGraph, effect: { kind: 'cut', afterBytes: 0 } });
    expect(await failureOf(download(started))).toMatch(
      /the download of model\.onnx was interrupted 5 times, most recently at byte \d+ of 72732: /,
    );
    const count = () => hub.requests.filter(({ path }) => path.endsWith('/reference.json')).length;
    const before = count();
    expect(before).toBeGreaterThan(0);
    hub.clearFaults();
    expect(await download(started)).toEqual(GRAPH);
    expect(count()).toBe(before);
  });

  it('waits as long as the server asks, and not longer than a minute', async () => {
    const started = await startHub({ files: IRIS });
    const waits: number[] = [];
    started.hub.addFault({
      when: ({ path }) => path.includes('/revision/'),
      times: 1,
      effect: { kind: 'refuse', status: 429, code: '7' },
    });
    started.hub.addFault({ when: isGraph, times: 1, effect: { kind: 'refuse', status: 503, code: '3' } });
    expect(await download(started, waits)).toEqual(GRAPH);
    expect(waits).toEqual([7000, 3000]);
    const { host } = new URL(started.hub.url);
    started.hub.addFault({
      when: ({ path }) => path.includes('/tree/'),
      times: 1,
      effect: { kind: 'refuse', status: 429, code: '300' },
    });
    expect(await failureOf(download(started))).toContain(
      `${host} does not give the files of owner/flowers now (status 429); it asks to wait 300 s.`,
    );
  });

  it.each([
    ['model.onnx', 'sha256', '/model.onnx'],
    ['reference.json', 'SHA-1', '/owner/flowers/resolve/'],
  ])('refuses a file whose bytes are not those of the list: %s', async (file, hash, path) => {
    const started = await startHub({ files: { ...IRIS, 'config.json': '{}' } });
    started.hub.addFault({
      when: (request) => request.path.startsWith(path) && request.path.includes(file),
      effect: { kind: 'wrong-bytes' },
    });
    const error = await failureOf(download(started));
    expect(error).toContain(
      `${file} of owner/flowers at 89abcde arrived with another ${hash} than its server says, so it is not used; run the command again.`,
    );
    expect(await downloadsOf(started.folder)).not.toContainEqual(expect.stringMatching(/^[0-9a-f]{64}$/));
  });

  it('refuses a file that changes between two parts', async () => {
    const started = await startHub({ files: IRIS });
    const { hub } = started;
    const other = Buffer.from(GRAPH).fill(1, 20_000);
    hub.addFault({
      when: (request) => isGraph(request) && request.range?.startsWith('bytes=20000') === true,
      times: 1,
      effect: { kind: 'run', action: () => hub.files.set('model.onnx', other) },
    });
    expect(await failureOf(download(started))).toContain(
      'model.onnx of owner/flowers at 89abcde arrived with another sha256',
    );
    hub.files.set('model.onnx', Buffer.concat([GRAPH, Buffer.alloc(1)]));
    expect(await failureOf(download(started))).toContain(
      'has changed while it was downloaded; run the command again.',
    );
  });
});
