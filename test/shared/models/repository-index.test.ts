import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createArtifactCache } from '../../../shared/models/artifact-cache.ts';
import { createModelRepository } from '../../../shared/models/model-repository.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { updateIndex } from '../../../shared/releases/update-index.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import type { ModelStore, WritableStore } from '../../../shared/stores/model-store.ts';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { messageOf } from '../../support/error-of.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { type S3Server, startS3Server } from '../../support/s3-server.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const TTL_MS = 30_000;
const SIGNED = { by: 'ada', why: '', action: 'test' };

const FILES = {
  'a/1/model.onnx': '1',
  'a/1/model.json': '{"task": "tabular-classification"}',
  'a/2/model.onnx': '2',
  'b/9/model.onnx': '9',
  'b/10/model.onnx': '10',
  'c/1/model.onnx': '1',
  'c/config.pbtxt': 'version_policy { latest { num_versions: 1 } }',
  'c/2/model.onnx': '2',
  'd/1/model.onnx': '1',
  'd/config.pbtxt': 'version_policy {',
};

function open(store: ModelStore, cache = '/nowhere') {
  const clock = { nowMs: 0 };
  const problems: string[] = [];
  const repository = createModelRepository({
    store,
    configs: KNOWN_TASKS,
    artifacts: createArtifactCache({ store, folder: cache }),
    listingTtlMs: TTL_MS,
    now: () => clock.nowMs,
    onProblem: (what) => problems.push(what),
  });
  return { repository, clock, problems };
}

/** A repository in S3 with an index, and what was requested since. */
async function openIndexed(files: Readonly<Record<string, string>> = FILES) {
  const server = await startS3Server({ files });
  onTestFinished(() => server.close());
  const store = openS3Store('s3://models', server.client);
  await updateIndex(store);
  server.requests.length = 0;
  return { server, store, ...open(store) };
}

function asked({ requests }: S3Server): string[] {
  return requests.splice(0).map(({ operation, key, query }) => `${operation} ${key || query.get('prefix')}`);
}

async function release(store: WritableStore, model: string, serving: object): Promise<void> {
  const log = createReleaseLog(store);
  await log.change(model, SIGNED, (current) => ({ serving: { ...current.serving, ...serving } }));
}

describe('a repository with an index', () => {
  it('is listed by one small file, and the files of a model when they are needed', async () => {
    const { server, repository } = await openIndexed();
    expect(await repository.list()).toMatchObject([
      { name: 'a', versions: ['1', '2'], liveVersion: '2' },
      { name: 'b', versions: ['9', '10'], liveVersion: '10' },
      { name: 'c', versions: ['2'], liveVersion: '2', policy: { leftOut: ['1'] } },
      // It cannot be said which of its versions are served.
      { name: 'd', versions: ['1'], liveVersion: '1' },
    ]);
    expect(await messageOf(repository.resolve('d'))).toEqual([503, expect.stringContaining('config.pbtxt')]);
    expect(await messageOf(repository.resolve('e'))).toEqual([
      404,
      'There is no model "e"; the models are: a, b, c, d.',
    ]);
    expect(asked(server)).toEqual(['GetObject index.json']);
    expect(await repository.config({ name: 'a', version: '1' })).toMatchObject({
      task: 'tabular-classification',
    });
    expect(await repository.locate({ name: 'a', version: '2' })).toBe('model.onnx');
    expect(asked(server)).toEqual(['ListObjectsV2 a/', 'GetObject a/1/model.json']);
  });

  it('asks before the answer when it is old, once, and gets nothing that it has', async () => {
    const { server, repository, clock, store } = await openIndexed();
    await repository.resolve('a');
    await repository.locate({ name: 'a', version: '2' });
    asked(server);
    clock.nowMs = TTL_MS;
    expect(repository.knownVersion('a')).toEqual({ name: 'a', version: '2' });
    expect(asked(server)).toEqual([]);
    clock.nowMs = TTL_MS + 1;
    const listed = await repository.list();
    await Promise.all([repository.resolve('a'), repository.resolve('b'), repository.list()]);
    expect(server.requests.map(({ status }) => status)).toEqual([304]);
    asked(server);
    expect(await repository.list()).toBe(listed);

    await release(store, 'a', { live: '1' });
    asked(server);
    expect(await repository.resolve('a')).toEqual({ name: 'a', version: '2' });
    clock.nowMs += TTL_MS + 1;
    expect(await repository.resolve('a')).toEqual({ name: 'a', version: '1' });
    // Its versions are the same, so its files are.
    expect(await repository.locate({ name: 'a', version: '2' })).toBe('model.onnx');
    expect(asked(server)).toEqual(['GetObject index.json']);
  });

  it('serves what was released: the live version, aliases, no archived version, another name', async () => {
    const { repository, clock, store } = await openIndexed();
    await release(store, 'a', { live: '1', aliases: { canary: '2' } });
    expect(await repository.resolve('a')).toEqual({ name: 'a', version: '1' });
    expect(await repository.resolve('a', 'canary')).toEqual({ name: 'a', version: '2' });
    expect(await repository.resolveAlias('a', 'canary')).toEqual({ name: 'a', version: '2' });
    await release(store, 'a', { archived: ['2'] });
    await release(store, 'b', { name: 'bee' });
    await release(store, 'c', { live: '1' });
    clock.nowMs += TTL_MS + 1;
    expect((await repository.list()).map(({ name, versions }) => [name, versions])).toEqual([
      ['a', ['1']],
      ['bee', ['9', '10']],
      ['c', ['2']],
      ['d', ['1']],
    ]);
    expect(await repository.resolve('bee')).toEqual({ name: 'bee', version: '10' });
    expect(await repository.locate(await repository.resolve('bee', '9'))).toBe('model.onnx');
    expect((await messageOf(repository.resolve('b')))[0]).toBe(404);
    expect(await messageOf(repository.resolve('a', 'canary'))).toEqual([
      404,
      expect.stringContaining('Alias "canary" of model "a" points to version "2"'),
    ]);
    expect(await messageOf(repository.resolve('c'))).toEqual([
      503,
      'Model "c" cannot be served: its version 1 is live, and is not among those that can be served: 2.',
    ]);
  });

  it('does not wait long for a slow store, and answers with what it knows', async () => {
    const { server, repository, clock, store } = await openIndexed();
    await repository.list();
    await release(store, 'a', { live: '1' });
    const { promise: isFast, resolve: hurry } = Promise.withResolvers<void>();
    server.addFault({
      when: ({ key }) => key === 'index.json',
      times: 1,
      effect: { kind: 'run', action: () => isFast },
    });
    clock.nowMs += TTL_MS + 1;
    // The store answers only after both.
    expect(await Promise.all([repository.resolve('a'), repository.resolve('a')])).toEqual([
      { name: 'a', version: '2' },
      { name: 'a', version: '2' },
    ]);
    hurry();
    await expect.poll(() => repository.resolve('a')).toEqual({ name: 'a', version: '1' });
  });

  it('answers with what it knows while the store is out, and asks once in each period', async () => {
    const { server, repository, clock, problems } = await openIndexed();
    await repository.list();
    asked(server);
    problems.length = 0;
    server.addFault({ when: () => true, effect: { kind: 'refuse', status: 403, code: 'AccessDenied' } });
    for (let period = 0; period < 3; period++) {
      clock.nowMs += TTL_MS + 1;
      for (let call = 0; call < 5; call++)
        expect(await repository.resolve('a')).toEqual({ name: 'a', version: '2' });
    }
    expect(asked(server)).toEqual(['GetObject index.json', 'GetObject index.json', 'GetObject index.json']);
    expect(new Set(problems)).toEqual(new Set(['the model repository cannot be listed']));
  });

  it.each([
    ['with other bytes', 'eno'],
    ['of which a part is missing', 'on'],
  ])('opens a version %s as soon as it is repaired', async (_, damaged) => {
    const sha256 = createHash('sha256').update('one').digest('hex');
    const { server, store } = await openIndexed({
      'a/1/model.onnx': damaged,
      'a/1/model.json': '{"task": "tabular-classification"}',
      'a/1/files.json': JSON.stringify({ files: [{ path: 'model.onnx', sizeBytes: 3, sha256 }] }),
    });
    const { repository } = open(store, await makeFolder({}));
    const reference = await repository.resolve('a');
    await expect(repository.open(reference)).rejects.toThrow('a/1/model.onnx');
    server.put('a/1/model.onnx', 'one');
    const { path, release: leave } = await repository.open(reference);
    expect(await readFile(join(path, 'model.onnx'), 'utf8')).toBe('one');
    await leave();
  });

  it.each([
    ['is not JSON', '{"format": 1, "models"'],
    ['is of a later release of Ternion', '{"format": 2, "models": {}}'],
    ['has a path as a name', '{"format": 1, "models": {"../x": {"versions": ["1"], "revision": 0}}}'],
    ['has a version that is a path', '{"format": 1, "models": {"x": {"versions": ["../1"], "revision": 0}}}'],
  ])('lists the folders if its index %s', async (_, text) => {
    const { server, repository, problems, store } = await openIndexed();
    await release(store, 'a', { live: '1' });
    server.put('index.json', text);
    expect((await repository.list()).map(({ name, liveVersion }) => [name, liveVersion])).toEqual([
      ['a', '1'],
      ['b', '10'],
      ['c', '2'],
      ['d', '1'],
    ]);
    expect(problems).toContain('index.json of the model repository cannot be used, and its files are listed');
  });

  it('serves the same without an index, or from a folder', async () => {
    const { server, store } = await openIndexed();
    await release(store, 'a', { live: '1', aliases: { canary: '2' } });
    await release(store, 'b', { name: 'bee', archived: ['10'] });
    server.remove('index.json');
    const files: Record<string, string> = {};
    for (const { path } of await store.list('')) {
      const loaded = await store.load(path);
      if (loaded.is === 'there') files[path] = loaded.content.toString();
    }
    const folder = openFilesystemStore(await makeFolder(files));
    for (const { repository } of [open(store), open(folder)]) {
      expect(
        (await repository.list()).map(({ name, versions, liveVersion }) => [name, versions, liveVersion]),
      ).toEqual([
        ['a', ['1', '2'], '1'],
        ['bee', ['9'], '9'],
        ['c', ['2'], '2'],
        ['d', ['1'], '1'],
      ]);
      expect(await repository.resolve('a', 'canary')).toEqual({ name: 'a', version: '2' });
      expect(await repository.locate(await repository.resolve('bee'))).toBe('model.onnx');
    }
  });

  it('is not mistaken by names that all objects have', async () => {
    const { repository } = await openIndexed({
      'constructor/1/model.onnx': '',
      'toString/1/model.onnx': '',
      'hasOwnProperty/1/model.onnx': '',
    });
    expect((await repository.list()).map(({ name }) => name)).toEqual([
      'constructor',
      'hasOwnProperty',
      'toString',
    ]);
    expect((await messageOf(repository.resolve('valueOf')))[0]).toBe(404);
    expect((await messageOf(repository.resolve('constructor', 'toString')))[0]).toBe(404);
  });
});

it('costs at most one request for each of 1,000 instances and period, with 1,000 models', async () => {
  const { server, store } = await openIndexed(
    Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`model-${index}/1/model.onnx`, ''])),
  );
  let index = await store.load('index.json');
  let loads = 0;
  let lists = 0;
  const counted: ModelStore = {
    ...store,
    list: (folder) => {
      lists += 1;
      return store.list(folder);
    },
    load: async (path, known) => {
      loads += 1;
      if (path !== 'index.json' || index.is !== 'there') return await store.load(path, known);
      return known === index.file.etag ? { is: 'unchanged', storeMs: index.storeMs } : index;
    },
  };
  const instances = Array.from({ length: 1_000 }, () => open(counted));
  const ask = async () => {
    for (const { repository } of instances) {
      await Promise.all([
        repository.resolve('model-1'),
        repository.resolve('model-999', '1'),
        repository.list(),
      ]);
      await repository.resolve('model-500');
    }
  };
  await ask();
  expect([loads, lists]).toEqual([1_000, 0]);
  await release(store, 'model-500', { live: '1', aliases: { best: '1' } });
  index = await store.load('index.json');
  for (let period = 1; period <= 2; period++) {
    for (const { clock } of instances) clock.nowMs += TTL_MS + 1;
    // Instances without a request ask nothing.
    instances.length = 50;
    await ask();
    expect([loads, lists]).toEqual([1_000 + 50 * period, 0]);
  }
  for (const { repository } of instances)
    expect(await repository.resolve('model-500', 'best')).toEqual({ name: 'model-500', version: '1' });
  expect(server.requests.filter(({ operation }) => operation === 'ListObjectsV2').length).toBeLessThan(5);
});
