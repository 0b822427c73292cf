import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createContext, createHost, requestUrl } from '../../functions/host.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { type Serving, servingSchema } from '../../shared/models/serving.ts';
import { createReleaseLog } from '../../shared/releases/release-log.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import type { WritableStore } from '../../shared/stores/model-store.ts';
import { openS3Store } from '../../shared/stores/s3.ts';
import { TEST_ENVIRONMENT } from '../support/hosts/environment.ts';
import { PAGES, PROJECT } from '../support/project.ts';
import { startCommand, temporaryFolder } from '../support/run-command.ts';
import { startS3Server } from '../support/s3-server.ts';

interface Place {
  readonly url: string;
  readonly store: WritableStore;
  /** The variables that the command needs for it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Makes the graph of a version unreadable. */
  spoil(version: string): Promise<void>;
  /** Refuses each write from now on. */
  protect(): Promise<void>;
}

const IRIS = join(PROJECT, 'models/iris');

async function openFolder(): Promise<Place> {
  const url = join(await temporaryFolder(), 'models');
  await cp(IRIS, join(url, 'iris'), { recursive: true });
  return {
    url,
    store: openFilesystemStore(url),
    environment: {},
    spoil: async (version) => await writeFile(join(url, 'iris', version, 'model.onnx'), 'no graph'),
    // A file where the folder of the notes would be, as a superuser may write everywhere.
    protect: async () => await writeFile(join(url, 'releases/iris/held-back'), ''),
  };
}

async function openBucket(): Promise<Place> {
  const server = await startS3Server();
  onTestFinished(() => server.close());
  for (const version of ['1', '2'])
    for (const file of ['model.onnx', 'model.json'])
      server.put(`iris/${version}/${file}`, await readFile(join(IRIS, version, file)));
  const { credentials, region } = server.client;
  return {
    url: 's3://models',
    store: openS3Store('s3://models', server.client),
    environment: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_S3: server.url,
      S3_PATH_STYLE: 'true',
    },
    spoil: async (version) => server.put(`iris/${version}/model.onnx`, 'no graph'),
    protect: async () =>
      server.addFault({
        when: ({ operation }) => operation === 'PutObject',
        effect: { kind: 'refuse', status: 403, code: 'AccessDenied' },
      }),
  };
}

/** A server of a repository whose releases change while it runs. */
async function serve(place: Place, environment: Readonly<Record<string, string>> = {}) {
  const lines: string[] = [];
  const host = createHost({
    environment: {
      ...TEST_ENVIRONMENT,
      MODEL_CACHE_FOLDER: await temporaryFolder(),
      LOG_LEVEL: 'warn',
      AWS_LAMBDA_LOG_STREAM_NAME: 'instance-7',
      ...environment,
      MODEL_REPOSITORY: place.url,
    },
    modelRepository: '',
    pagesFolder: PAGES,
    stores: {
      file: openFilesystemStore,
      s3: (url) => openS3Store(url, { environment: place.environment, forcePathStyle: true }),
    },
    log: () => ({ write: (line) => void lines.push(line) }),
    cpus: 1,
  });
  onTestFinished(() => host.app.close());
  /** Sends a request, and does the work that it leaves. */
  const send = async (
    method: string,
    path: string,
    body = '',
    more: Readonly<Record<string, string>> = {},
  ) => {
    const headers = new Headers({ 'content-type': 'application/json', ...more });
    const request = new BytesRequest(requestUrl(path), { method, headers }, Buffer.from(body));
    const context = createContext(headers, undefined);
    const response = await host.app.fetch(request, context);
    await host.runWaitingWork(context);
    return { status: response.status, headers: response.headers, json: await response.json() };
  };
  const predict = async () => {
    const { status, headers } = await send('POST', '/predict', '{"features": [5.1, 3.5, 1.4, 0.2]}');
    return [status, headers.get('ternion-model-version')];
  };
  const { renew } = host.app.inference.repository;
  return { predict, send, renew, lines };
}

/** Writes a release, which all servers of its repository follow from now on. */
async function release(
  { store }: Place,
  serving: Pick<Serving, 'live' | 'warm'>,
  ...servers: readonly Awaited<ReturnType<typeof serve>>[]
): Promise<void> {
  const signed = { by: 'ada', why: '', action: `promote ${serving.live}` };
  await createReleaseLog(store).change('iris', signed, () => ({ serving: servingSchema.parse(serving) }));
  for (const { renew } of servers) await renew();
}

async function historyIn({ url, environment }: Place, ...options: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await startCommand(
    ['history', 'iris', '-r', url, ...options],
    '',
    environment,
  ).outcome;
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

const REASON = expect.stringContaining('model.onnx');

describe.each([
  ['a folder', openFolder],
  ['S3', openBucket],
])('a release that is held back, from %s', (_, open) => {
  it('is in the history of its model, at its revision', async () => {
    const place = await open();
    const server = await serve(place);
    const { predict, send } = server;
    await release(place, { live: '1' }, server);
    expect(await predict()).toEqual([200, '1']);
    await place.spoil('2');
    await release(place, { live: '2' }, server);
    expect(await predict()).toEqual([200, '1']);
    expect(await predict()).toEqual([200, '1']);

    const held = { version: '2', at: expect.any(String), instance: 'instance-7', reason: REASON };
    expect(JSON.parse(await historyIn(place, '--verify', '--json'))).toMatchObject({
      verified: true,
      history: [
        { revision: 1, held_back: [] },
        { revision: 2, action: 'promote 2', held_back: [held] },
      ],
    });
    const [first, second, note, ...rest] = (await historyIn(place)).trim().split('\n');
    expect([first, second]).toEqual([expect.stringMatching(/^1 /), expect.stringMatching(/^2 /)]);
    expect(note).toMatch(/^ {3}\d{4}-\S+Z {2}instance-7 held back 2: .*model\.onnx/);
    expect(rest).toEqual([]);
    const authorization = `Bearer ${TEST_ENVIRONMENT.ADMIN_KEY}`;
    const route = '/api/2.0/ternion/registered-models/history?name=iris';
    const { json } = await send('GET', route, '', { authorization });
    expect(json).toMatchObject({
      changes: [
        {
          revision: 2,
          held_back: [
            { version: '2', timestamp: expect.any(Number), instance: 'instance-7', reason: REASON },
          ],
        },
        { revision: 1 },
      ],
    });
    expect(json.changes[1]).not.toHaveProperty('held_back');
    // Servers and commands do not take the note for a model, a version or a release.
    expect((await send('GET', '/models')).json.models).toMatchObject([{ name: 'iris' }]);
    const listed = await startCommand(['list', '-r', place.url], '', place.environment).outcome;
    expect(listed).toMatchObject({ code: 0, stdout: 'iris  versions 1, 2  live 2\n' });
  });

  it('is also noted by an instance that begins with it', async () => {
    const place = await open();
    await place.spoil('2');
    await release(place, { live: '2', warm: { version: '1', seconds: 60 } });
    const { predict } = await serve(place);
    expect(await predict()).toEqual([200, '1']);
    expect(JSON.parse(await historyIn(place, '--json'))).toMatchObject({
      history: [{ revision: 1, held_back: [{ version: '2', instance: 'instance-7', reason: REASON }] }],
    });
  });

  it('is only in the log of a server that cannot write, or has no registry', async () => {
    const place = await open();
    const without = await serve(place, { ADMIN_KEY: '' });
    const denied = await serve(place);
    await release(place, { live: '1' }, without, denied);
    expect([await without.predict(), await denied.predict()]).toEqual([
      [200, '1'],
      [200, '1'],
    ]);
    await place.spoil('2');
    await release(place, { live: '2' }, without, denied);
    await place.protect();
    expect([await without.predict(), await denied.predict()]).toEqual([
      [200, '1'],
      [200, '1'],
    ]);
    const messagesOf = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).message);
    const failed = ['model failed to load', 'release is held back: its version cannot be loaded'];
    expect(messagesOf(without.lines)).toEqual(failed);
    expect(messagesOf(denied.lines)).toEqual([
      ...failed,
      'a release that is held back cannot be noted in the history of its model',
    ]);
    expect(JSON.parse(denied.lines.at(-1) ?? '')).toMatchObject({ level: 'warn', model: 'iris/2' });
    expect(denied.lines.join()).not.toContain(TEST_ENVIRONMENT.ADMIN_KEY);
  });
});
