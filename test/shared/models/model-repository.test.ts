import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createArtifactCache } from '../../../shared/models/artifact-cache.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { createModelRepository } from '../../../shared/models/model-repository.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { type ModelStore, StoreError } from '../../../shared/stores/model-store.ts';
import { messageOf, rejectionOf } from '../../support/error-of.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { MODELS } from '../../support/project.ts';
import { makeFolder, writeFiles } from '../../support/temporary-folder.ts';

const LISTING_TTL_MS = 30_000;

/** A repository over a folder, on a clock that the test moves. It counts how often the store is listed. */
function open(folder: string) {
  const files = openFilesystemStore(folder);
  const clock = { nowMs: 0 };
  const listings: Promise<unknown>[] = [];
  const renewalErrors: unknown[] = [];
  const problems: string[] = [];
  const store: ModelStore = {
    ...files,
    list: (below, passOver) => {
      const listing = files.list(below, passOver);
      if (below === '') listings.push(listing);
      return listing;
    },
  };
  const repository = createModelRepository({
    configs: KNOWN_TASKS,
    store,
    artifacts: createArtifactCache({ store: files, folder: join(folder, '.unused') }),
    listingTtlMs: LISTING_TTL_MS,
    now: () => clock.nowMs,
    onProblem: (what, error) => {
      problems.push(what);
      renewalErrors.push(error);
    },
  });
  /** Waits for a listing in the background to be over. */
  const settle = async () => {
    await Promise.allSettled(listings);
    await tick();
  };
  return { repository, clock, listings, renewalErrors, problems, settle };
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

  it('lists as models only folders in the usual layout', async () => {
    const { repository } = open(
      await makeFolder({
        'README.md': '',
        'model.onnx': '',
        'a/model.onnx': '',
        'a/1/._other.onnx': '',
        'a/1/other.onnx.data': '',
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

describe('a repository of many models', () => {
  it('looks at each file only a few times, for any number of models', async () => {
    const looks = { count: 0 };
    const files = Array.from({ length: 300 }, (_, index) =>
      ['labels.txt', 'model.onnx', 'reference.json'].map((name) => {
        const path = `model-${String(index).padStart(3, '0')}/1/${name}`;
        return {
          get path() {
            looks.count += 1;
            return path;
          },
          sizeBytes: 1,
          etag: '"x"',
        };
      }),
    ).flat();
    const { read } = openFilesystemStore('unused');
    const store: ModelStore = { url: 'memory://models', list: async () => files, read };
    const artifacts = createArtifactCache({ store, folder: 'unused' });
    const repository = createModelRepository({ store, configs: KNOWN_TASKS, artifacts });
    for (const { name, liveVersion } of await repository.list()) {
      const reference = { name, version: liveVersion };
      expect(await repository.locate(reference)).toBe('model.onnx');
      expect(await repository.config(reference)).toBeUndefined();
    }
    expect(looks.count).toBeLessThan(20 * files.length);
  });

  it('gives what it has of one of them', async () => {
    const { repository } = open(MODELS);
    expect(await repository.versions('iris')).toEqual({
      name: 'iris',
      versions: ['1', '2'],
      liveVersion: '2',
    });
    expect(await repository.versions('irys')).toBeUndefined();
  });
});

describe('resolve', () => {
  it('gives the version that is named, or the highest', async () => {
    const { repository } = open(MODELS);
    expect(await repository.resolve('iris')).toEqual({ name: 'iris', version: '2' });
    expect(await repository.resolve('iris', '1')).toEqual({ name: 'iris', version: '1' });
  });

  it('lists the known names where a name is unknown', async () => {
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

  it('limits the listings of the store for unknown names', async () => {
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

describe('a version', () => {
  it('is a folder with a graph where Optimum writes it, under any name, or with a file that names it', async () => {
    const { repository, renewalErrors } = open(
      await makeFolder({
        'optimum/1/onnx/model.onnx': '',
        'optimum/1/config.json': '{}',
        'mlflow/3/MLmodel': '',
        'both/1/model.onnx': '',
        'both/1/onnx/model.onnx': '',
        'quantized/1/onnx/model_q4.ONNX': '',
        'several/1/a.onnx': '',
        'several/1/b.onnx': '',
        'no/1/graphs/other.onnx': '',
        'no/MLmodel': '',
      }),
    );
    expect((await repository.list()).map(({ name, versions }) => [name, versions])).toEqual([
      ['both', ['1']],
      ['mlflow', ['3']],
      ['optimum', ['1']],
      ['quantized', ['1']],
      ['several', ['1']],
    ]);
    expect(renewalErrors).toEqual([]);
  });
});

describe('resolveAlias', () => {
  const files = { 'm/1/model.onnx': '', 'm/2/model.onnx': '', 'plain/1/model.onnx': '' };
  const deployment = (aliases: object) => JSON.stringify({ aliases, traffic: { later: true } });

  it('gives the version an alias stands for', async () => {
    const folder = await makeFolder({
      ...files,
      'm/deployment.json': deployment({ champion: '1', next: '2' }),
    });
    const { repository } = open(folder);
    expect(await repository.resolveAlias('m', 'champion')).toEqual({ name: 'm', version: '1' });
    expect(await repository.resolveAlias('m', 'next')).toEqual({ name: 'm', version: '2' });
    // Aliases change nothing for requests that name none.
    expect((await repository.resolve('m')).version).toBe('2');
  });

  it('is used by resolve where no version has the name', async () => {
    const folder = await makeFolder({
      ...files,
      'm/deployment.json': deployment({ champion: '1', '2': '1', old: '7' }),
    });
    const { repository } = open(folder);
    expect(await repository.resolve('m', 'champion')).toEqual({ name: 'm', version: '1' });
    expect(await repository.resolve('m', '2')).toEqual({ name: 'm', version: '2' });
    expect(await messageOf(repository.resolve('m', '3'))).toEqual([
      404,
      'Model "m" has no version "3"; its versions are 1, 2; its aliases are 2, champion, old.',
    ]);
    expect(await messageOf(repository.resolve('m', 'old'))).toEqual([
      404,
      expect.stringMatching(/^Alias "old" of model "m" .*"7".* 1, 2\.$/),
    ]);
    expect(await messageOf(repository.resolve('plain', 'champion'))).toEqual([
      404,
      'Model "plain" has no version "champion"; its versions are 1.',
    ]);
    expect(await messageOf(repository.resolve('x', 'champion'))).toEqual([
      404,
      'There is no model "x"; the models are: m, plain.',
    ]);
  });

  it('lists the aliases where one is unknown', async () => {
    const folder = await makeFolder({
      ...files,
      'm/deployment.json': deployment({ champion: '1', old: '7' }),
    });
    const { repository } = open(folder);
    expect(await messageOf(repository.resolveAlias('m', 'nope'))).toEqual([
      404,
      'Model "m" has no alias "nope"; its aliases are: champion, old.',
    ]);
    expect(await messageOf(repository.resolveAlias('m', 'constructor'))).toEqual([
      404,
      'Model "m" has no alias "constructor"; its aliases are: champion, old.',
    ]);
    expect(await messageOf(repository.resolveAlias('m', 'old'))).toEqual([
      404,
      'Alias "old" of model "m" points to version "7", which does not exist; its versions are 1, 2.',
    ]);
    expect(await messageOf(repository.resolveAlias('plain', 'champion'))).toEqual([
      404,
      'Model "plain" has no alias "champion"; its aliases are: none.',
    ]);
    expect(await messageOf(repository.resolveAlias('x', 'champion'))).toEqual([
      404,
      'There is no model "x"; the models are: m, plain.',
    ]);
  });

  it('says that a file is not valid', async () => {
    const { repository } = open(
      await makeFolder({ ...files, 'm/deployment.json': '{"aliases": {"a b": "1"}}' }),
    );
    expect(await messageOf(repository.resolveAlias('m', 'a b'))).toEqual([
      503,
      'The aliases of model "m" cannot be read: its deployment.json is not valid (aliases.a b: its name must consist of letters, digits, ".", "_" and "-").',
    ]);
  });

  it('follows a changed file, with the listing or when the file is read', async () => {
    const folder = await makeFolder({ ...files, 'm/deployment.json': deployment({ champion: '1' }) });
    const { repository, clock, settle } = open(folder);
    expect((await repository.resolveAlias('m', 'champion')).version).toBe('1');
    await writeFiles(folder, { 'm/deployment.json': deployment({ champion: '2', b: '1' }) });
    expect((await repository.resolveAlias('m', 'champion')).version).toBe('1');
    clock.nowMs = LISTING_TTL_MS + 1;
    await repository.list();
    await settle();
    expect((await repository.resolveAlias('m', 'champion')).version).toBe('2');
  });

  it('reads a file that was changed between the listing and the reading', async () => {
    const folder = await makeFolder({ ...files, 'm/deployment.json': deployment({ champion: '1' }) });
    const { repository } = open(folder);
    await repository.list();
    await writeFiles(folder, { 'm/deployment.json': deployment({ champion: '2', more: '1' }) });
    expect((await repository.resolveAlias('m', 'champion')).version).toBe('2');
  });
});

describe('the renewal of the listing', () => {
  it('happens in the background when the listing is old: a new version becomes live', async () => {
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

  it('removes versions that are gone', async () => {
    const folder = await makeFolder({ 'm/1/model.onnx': '', 'm/2/model.onnx': '' });
    const { repository, clock, settle } = open(folder);
    await repository.resolve('m', '2');
    await rm(join(folder, 'm/2'), { recursive: true });
    clock.nowMs = LISTING_TTL_MS + 1;
    await repository.list();
    await settle();
    expect((await repository.resolve('m')).version).toBe('1');
  });

  it('is reported and retried when it fails; requests use the last listing', async () => {
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

  it('knows a folder of Optimum by its small files', async () => {
    const { repository } = open(
      await makeFolder({
        'm/1/onnx/model.onnx': 'never read',
        'm/1/config.json': JSON.stringify({ model_type: 'bert', architectures: ['BertModel'] }),
        'm/1/tokenizer.json': '{}',
      }),
    );
    expect(await repository.config({ name: 'm', version: '1' })).toMatchObject({
      task: 'feature-extraction',
    });
  });

  it('reads no settings from files of more than 4 MB', async () => {
    const { repository } = open(
      await makeFolder({ 'm/1/model.onnx': '', 'm/1/model.json': ' '.repeat(4 * 1024 * 1024 + 1) }),
    );
    await expect(repository.config({ name: 'm', version: '1' })).rejects.toThrow(
      'its model.json has more than 4194304 bytes',
    );
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

  it('reads only the files of the version and those next to the versions', async () => {
    const folder = await makeFolder({
      'm/1/onnx/model.onnx': '1',
      'm/1/labels.txt': 'own',
      'm/labels.txt': 'shared',
      'secret.txt': 'secret',
    });
    const { repository } = open(folder);
    const model = await repository.open({ name: 'm', version: '1' });
    expect(model.modelFile).toBe('onnx/model.onnx');
    expect(await model.read('labels.txt')).toBe('own');
    expect(await model.readShared('labels.txt')).toBe('shared');
    expect(await model.read('../../secret.txt')).toBeUndefined();
    expect(await model.readShared('../secret.txt')).toBeUndefined();
    expect(await model.read('nope.txt')).toBeUndefined();
  });

  it('follows a link as far as the listing does: inside the repository', async () => {
    const outside = await makeFolder({ 'labels.txt': 'outside', 'tokenizer.json': 'outside' });
    const folder = await makeFolder({ 'm/1/model.onnx': '', 'shared/labels.txt': 'inside' });
    await symlink(join(outside, 'labels.txt'), join(folder, 'm/1/labels.txt'));
    await symlink(join(outside, 'tokenizer.json'), join(folder, 'm/1/tokenizer.json'));
    await symlink(join(folder, 'shared/labels.txt'), join(folder, 'm/1/classes.txt'));
    const { repository } = open(folder);
    const model = await repository.open({ name: 'm', version: '1' });
    expect(model.files).toEqual(['classes.txt', 'model.onnx']);
    expect(await model.read('classes.txt')).toBe('inside');
    expect(await model.read('labels.txt')).toBeUndefined();
    expect(await model.readLarge('tokenizer.json')).toBeUndefined();
  });

  it('says once for each file why it is not used', async () => {
    const outside = await makeFolder({ 'model.onnx': '', 'labels.txt': '' });
    const folder = await makeFolder({ 'm/1/model.onnx': '', 'gone/3/labels.txt': '' });
    await symlink(join(outside, 'labels.txt'), join(folder, 'm/1/labels.txt'));
    await symlink(join(outside, 'model.onnx'), join(folder, 'gone/3/model.onnx'));
    const { repository, clock, listings, problems, settle } = open(folder);
    expect((await repository.list()).map(({ name }) => name)).toEqual(['m']);
    await repository.open({ name: 'm', version: '1' });
    const first = [
      `gone/3/model.onnx is ignored: it is a link that leads outside the folder, to ${JSON.stringify(join(outside, 'model.onnx'))}`,
      `m/1/labels.txt is ignored: it is a link that leads outside the folder, to ${JSON.stringify(join(outside, 'labels.txt'))}`,
    ];
    expect([...problems].sort()).toEqual(first);
    await symlink('nowhere', join(folder, 'm/1/model.json'));
    clock.nowMs += LISTING_TTL_MS + 1;
    await repository.list();
    await settle();
    expect(listings).toHaveLength(2);
    expect(problems.slice(2)).toEqual([
      'm/1/model.json is ignored: it is a link that cannot be followed (ENOENT)',
    ]);
  });

  it('reads no settings from files of more than 4 MB, except those that may be large', async () => {
    const large = ' '.repeat(4 * 1024 * 1024 + 1);
    const files = { 'm/1/model.onnx': '', 'm/1/config.json': large, 'm/1/tokenizer.json': large };
    const { repository } = open(await makeFolder({ ...files, 'n/1/MLmodel': large }));
    const model = await repository.open({ name: 'm', version: '1' });
    await expect(model.read('config.json')).rejects.toThrow('its config.json has more than 4194304 bytes');
    expect(await model.readLarge('tokenizer.json')).toHaveLength(large.length);
    await expect(repository.open({ name: 'n', version: '1' })).rejects.toThrow(
      'its MLmodel has more than 4194304 bytes',
    );
  });

  it('gives the first reference request for the example', async () => {
    const { repository } = open(MODELS);
    const { example } = await repository.open({ name: 'iris', version: '1' });
    expect(example).toEqual({ features: [5.1, 3.5, 1.4, 0.2] });
  });
});
