import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createArtifactCache } from '../../../shared/models/artifact-cache.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { createModelRepository } from '../../../shared/models/model-repository.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { type ModelStore, StoreError } from '../../../shared/stores/model-store.ts';
import { rejectionOf } from '../error-of.ts';
import { MODELS } from '../project.ts';
import { makeFolder, writeFiles } from '../temporary-folder.ts';

const LISTING_TTL_MS = 30_000;

/** A repository over a folder, on a clock that the test moves. It counts how often the store is listed. */
function open(folder: string) {
  const files = openFilesystemStore(folder);
  const clock = { nowMs: 0 };
  const listings: Promise<unknown>[] = [];
  const renewalErrors: unknown[] = [];
  const store: ModelStore = {
    ...files,
    list: (below) => {
      const listing = files.list(below);
      if (below === '') listings.push(listing);
      return listing;
    },
  };
  const repository = createModelRepository({
    store,
    artifacts: createArtifactCache({ store: files, folder: join(folder, '.unused') }),
    listingTtlMs: LISTING_TTL_MS,
    now: () => clock.nowMs,
    onProblem: (_what, error) => renewalErrors.push(error),
  });
  /** Waits for a listing in the background to be over. */
  const settle = async () => {
    await Promise.allSettled(listings);
    await tick();
  };
  return { repository, clock, listings, renewalErrors, settle };
}

describe('list', () => {
  it('gives the models by name, their versions lowest first', async () => {
    const { repository } = open(
      await makeFolder({
        'b/10/model.onnx': '',
        'b/9/model.onnx': '',
        'b/2.0.0-rc.1/model.onnx': '',
        'b/2.0.0/model.onnx': '',
        'a/champion/model.onnx': '',
      }),
    );
    expect(await repository.list()).toEqual([
      { name: 'a', versions: ['champion'], liveVersion: 'champion' },
      { name: 'b', versions: ['2.0.0-rc.1', '2.0.0', '9', '10'], liveVersion: '10' },
    ]);
  });

  it('takes for models what lies in the usual layout alone', async () => {
    const { repository } = open(
      await makeFolder({
        'README.md': '',
        'model.onnx': '',
        'a/model.onnx': '',
        'a/1/other.onnx': '',
        'a/1/deeper/model.onnx': '',
        'a/train.py': '',
        'with space/1/model.onnx': '',
        '-a/1/model.onnx': '',
        'a/ü/model.onnx': '',
        'good/1/model.onnx': '',
        'good/1/extra/model.onnx': '',
      }),
    );
    expect((await repository.list()).map(({ name, versions }) => [name, versions])).toEqual([
      ['good', ['1']],
    ]);
  });

  it('asks the store once', async () => {
    const { repository, listings } = open(MODELS);
    await Promise.all([repository.list(), repository.list(), repository.resolve('iris')]);
    await repository.resolve('digits', '1');
    expect(listings).toHaveLength(1);
  });

  it('rejects when the store cannot be read, and asks it again the next time', async () => {
    const folder = await makeFolder({});
    const { repository } = open(join(folder, 'models'));
    await expect(repository.list()).rejects.toThrow(StoreError);
    await writeFiles(folder, { 'models/m/1/model.onnx': '' });
    expect((await repository.list()).map(({ name }) => name)).toEqual(['m']);
  });
});

describe('resolve', () => {
  it('gives the version that is named, or the highest', async () => {
    const { repository } = open(MODELS);
    expect(await repository.resolve('iris')).toEqual({ name: 'iris', version: '2' });
    expect(await repository.resolve('iris', '1')).toEqual({ name: 'iris', version: '1' });
  });

  it('lists what there is where a name is unknown', async () => {
    const { repository } = open(MODELS);
    const model = await rejectionOf(repository.resolve('irys'));
    expect([model.code, model.message]).toEqual([
      'RESOURCE_DOES_NOT_EXIST',
      'There is no model "irys"; the models are: digits, iris.',
    ]);
    const version = await rejectionOf(repository.resolve('iris', '3'));
    expect([version.status, version.message]).toEqual([
      404,
      'Model "iris" has no version "3"; its versions are 1, 2.',
    ]);
    const empty = open(await makeFolder({}));
    expect((await rejectionOf(empty.repository.resolve('m'))).message).toBe(
      'There is no model "m"; the models are: none.',
    );
  });

  it('shortens and quotes unknown names', async () => {
    const { repository } = open(MODELS);
    const long = await rejectionOf(repository.resolve('x'.repeat(1000)));
    expect(long.message).toMatch(`"${'x'.repeat(100)}"; the models`);
    expect((await rejectionOf(repository.resolve('a"\n'))).message).toMatch('There is no model "a\\"\\n";');
    for (const name of ['__proto__', 'constructor', '../iris', '']) {
      expect((await rejectionOf(repository.resolve(name))).status).toBe(404);
    }
  });

  it('finds a version that was published after the listing, at once', async () => {
    const folder = await makeFolder({ 'm/1/model.onnx': '' });
    const { repository, clock } = open(folder);
    await repository.resolve('m');
    await writeFiles(folder, { 'm/2/model.onnx': '', 'new/1/model.onnx': '' });
    clock.nowMs = 2_000;
    expect(await repository.resolve('m', '2')).toEqual({ name: 'm', version: '2' });
    expect(await repository.resolve('new')).toEqual({ name: 'new', version: '1' });
    expect(await repository.resolve('m')).toEqual({ name: 'm', version: '2' });
  });

  it('does not let unknown names wear out the store', async () => {
    const { repository, clock, listings } = open(MODELS);
    const ask = () => rejectionOf(repository.resolve('nope'));
    await ask();
    clock.nowMs = 1_999;
    await ask();
    expect(listings).toHaveLength(1);
    clock.nowMs = 2_000;
    await Promise.all([ask(), ask(), ask()]);
    expect(listings).toHaveLength(2);
  });
});

describe('the renewal of the listing', () => {
  it('happens in the background when its time is over: a new version goes live', async () => {
    const folder = await makeFolder({ 'm/1/model.onnx': '' });
    const { repository, clock, listings, settle } = open(folder);
    await repository.resolve('m');
    await writeFiles(folder, { 'm/2/model.onnx': '' });
    clock.nowMs = LISTING_TTL_MS;
    expect((await repository.resolve('m')).version).toBe('1');
    expect(listings).toHaveLength(1);
    clock.nowMs = LISTING_TTL_MS + 1;
    // This request does not wait for the store.
    expect((await repository.resolve('m')).version).toBe('1');
    await settle();
    expect((await repository.resolve('m')).version).toBe('2');
    expect(listings).toHaveLength(2);
  });

  it('lets removed versions go', async () => {
    const folder = await makeFolder({ 'm/1/model.onnx': '', 'm/2/model.onnx': '' });
    const { repository, clock, settle } = open(folder);
    await repository.resolve('m', '2');
    await rm(join(folder, 'm/2'), { recursive: true });
    clock.nowMs = LISTING_TTL_MS + 1;
    await repository.list();
    await settle();
    expect((await repository.resolve('m')).version).toBe('1');
  });

  it('is reported when it fails; requests go on with the listing there is, and it is tried again', async () => {
    const folder = await makeFolder({ 'models/m/1/model.onnx': '' });
    const { repository, clock, renewalErrors, settle } = open(join(folder, 'models'));
    await repository.list();
    await rm(join(folder, 'models'), { recursive: true });
    clock.nowMs = LISTING_TTL_MS + 1;
    expect((await repository.resolve('m')).version).toBe('1');
    await settle();
    expect(renewalErrors).toHaveLength(1);
    expect(renewalErrors[0]).toBeInstanceOf(StoreError);
    await writeFiles(folder, { 'models/m/2/model.onnx': '' });
    await repository.list();
    await settle();
    clock.nowMs *= 2;
    await repository.list();
    await settle();
    expect((await repository.resolve('m')).version).toBe('2');
  });
});

describe('config', () => {
  it('reads model.json without the model', async () => {
    const { repository } = open(MODELS);
    expect((await repository.config({ name: 'iris', version: '2' }))?.task).toBe('tabular-classification');
  });

  it('is undefined without the file', async () => {
    const { repository } = open(await makeFolder({ 'm/1/model.onnx': '' }));
    expect(await repository.config({ name: 'm', version: '1' })).toBeUndefined();
  });

  it('rejects a file that is not valid', async () => {
    const { repository } = open(await makeFolder({ 'm/1/model.onnx': '', 'm/1/model.json': '[' }));
    await expect(repository.config({ name: 'm', version: '1' })).rejects.toThrow(ModelError);
  });
});

describe('open', () => {
  it("gives the version's folder, config, example and size", async () => {
    const folder = await makeFolder({
      'm/1/model.onnx': '12345',
      'm/1/model.json': '{"task":"tensor"}',
      'm/1/weights.data': '123',
      'm/10/model.onnx': '1234567890',
    });
    const { repository } = open(folder);
    expect(await repository.open({ name: 'm', version: '1' })).toMatchObject({
      path: join(folder, 'm/1'),
      modelFile: 'model.onnx',
      files: ['model.json', 'model.onnx', 'weights.data'],
      sizeBytes: 5 + 17 + 3,
      config: { task: 'tensor' },
      example: undefined,
    });
    expect(await repository.open({ name: 'm', version: '10' })).toMatchObject({
      sizeBytes: 10,
      config: undefined,
    });
  });

  it('gives the first reference request for the example', async () => {
    const { repository } = open(MODELS);
    const { example } = await repository.open({ name: 'iris', version: '1' });
    expect(example).toEqual({ features: [5.1, 3.5, 1.4, 0.2] });
  });
});
