import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createArtifactCache } from '../../../shared/models/artifact-cache.ts';
import { createModelRepository } from '../../../shared/models/model-repository.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { type ModelStore, StoreError } from '../../../shared/stores/model-store.ts';
import { messageOf } from '../../support/error-of.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { makeFolder, writeFiles } from '../../support/temporary-folder.ts';

/** A repository over a folder. It counts the files that are read, and reading one fails where `fails` says so. */
function open(folder: string) {
  const files = openFilesystemStore(folder);
  const state = { nowMs: 0, reads: [] as string[], problems: [] as string[], fails: false };
  const store: ModelStore = {
    ...files,
    read: async (file, start, end) => {
      state.reads.push(file.path);
      if (state.fails) throw new StoreError('denied', `${file.path} is not to be read.`);
      return await files.read(file, start, end);
    },
  };
  const repository = createModelRepository({
    configs: KNOWN_TASKS,
    store,
    artifacts: createArtifactCache({ store: files, folder: join(folder, '.unused') }),
    now: () => state.nowMs,
    onProblem: (what) => state.problems.push(what),
  });
  /** The listing, renewed because it is old. */
  const renewed = async () => {
    state.nowMs += 100_000;
    return await repository.list();
  };
  return { repository, state, renewed };
}

const versions = (name: string, ...each: readonly string[]) =>
  Object.fromEntries(each.map((version) => [`${name}/${version}/model.onnx`, '']));

async function serve(config: string, ...each: readonly string[]) {
  const { repository, state } = open(
    await makeFolder({ ...versions('m', ...each), 'm/config.pbtxt': config }),
  );
  return { repository, state, listed: await repository.versions('m') };
}

const NOT_ONE_POLICY = 'its version_policy must be one of latest, all and specific';

describe('a version policy', () => {
  it.each([
    ['latest { num_versions: 1 }', ['1', '2', '10'], ['10']],
    ['latest: { num_versions: 2 }', ['1', '2', '10'], ['2', '10']],
    ['latest { num_versions: 9 }', ['1', '2'], ['1', '2']],
    ['all { }', ['1', '2'], ['1', '2']],
    ['', ['1', '2'], ['1', '2']],
    ['specific: { versions: [1] }', ['1', '2', '3'], ['1']],
    ['specific { versions: 3 versions: 1 }', ['1', '2', '3'], ['1', '3']],
    ['specific < versions: [ 2, 2 ] >', ['1', '02', 'v3'], ['02']],
    ['specific { versions: [ 3 ] }', ['1', 'v3', '3.1'], ['v3']],
    ['latest { num_versions: 1 }', ['2', '2.bak', 'old'], ['2']],
  ])('{ %s } of the versions %j serves %j', async (policy, there, served) => {
    const { repository, listed } = await serve(`version_policy: { ${policy} }`, ...there);
    expect(listed?.versions).toEqual(served);
    expect(listed?.liveVersion).toBe(served.at(-1));
    expect((await repository.resolve('m')).version).toBe(served.at(-1));
    for (const version of there.filter((each) => !served.includes(each))) {
      expect(await messageOf(repository.resolve('m', version))).toEqual([
        404,
        `Model "m" does not serve version "${version}": the version_policy in its config.pbtxt excludes it; the served versions are ${served.join(', ')}.`,
      ]);
    }
  });

  it('is not there in most files: then all versions are served', async () => {
    const { listed } = await serve('name: "m"', '1', '2');
    expect(listed).toEqual({ name: 'm', versions: ['1', '2'], liveVersion: '2' });
  });

  it('may name versions that are not there, which is reported', async () => {
    const { listed, state } = await serve('version_policy { specific { versions: [1, 7, 9] } }', '1', '2');
    expect(listed).toEqual({
      name: 'm',
      versions: ['1'],
      liveVersion: '1',
      policy: { policy: { specific: { versions: [1, 7, 9] } }, leftOut: ['2'], missing: ['7', '9'] },
    });
    expect(state.problems).toEqual([
      'model "m": the version_policy in its config.pbtxt excludes version 2, and names versions 7, 9, which do not exist',
    ]);
  });

  it.each([
    ['specific { versions: [5] }', 'excludes version 1, and names version 5, which does not exist'],
    ['specific { }', 'excludes version 1'],
    ['latest { }', 'excludes version 1'],
  ])('{ %s } may leave no version', async (policy, what) => {
    const { repository, listed, state } = await serve(`version_policy { ${policy} }`, '1');
    expect(listed).toBeUndefined();
    expect(await repository.list()).toEqual([]);
    const expected = `the version_policy in its config.pbtxt ${what}`;
    for (const version of [undefined, '1']) {
      expect(await messageOf(repository.resolve('m', version))).toEqual([
        404,
        `Model "m" has no version that is served: ${expected}.`,
      ]);
    }
    expect(state.problems).toEqual([`model "m": ${expected}`]);
  });

  it.each([
    ['version_policy { latest { num_versions: 1 } ', 'it ends too early'],
    ['version_policy: 1', NOT_ONE_POLICY],
    ['version_policy { newest { } }', NOT_ONE_POLICY],
    ['version_policy { all { } latest { } }', NOT_ONE_POLICY],
    ['version_policy { all {} } version_policy { all {} }', NOT_ONE_POLICY],
    ['version_policy { latest: 1 }', 'its version_policy has a latest that is not a message'],
    [
      'version_policy { latest { num_versions: -1 } }',
      'its version_policy has num_versions that are not whole numbers of at least 0',
    ],
    [
      'version_policy { specific { versions: "1" } }',
      'its version_policy has versions that are not whole numbers of at least 0',
    ],
  ])('that cannot be read, %s, affects only its own model', async (config, problem) => {
    const folder = await makeFolder({
      ...versions('m', '1'),
      ...versions('n', '1'),
      'm/config.pbtxt': config,
      'm/deployment.json': '{"aliases": {"best": "1"}}',
    });
    const { repository, state } = open(folder);
    const text = `its config.pbtxt cannot be read: ${problem}`;
    expect((await repository.list()).map(({ name }) => name)).toEqual(['m', 'n']);
    expect((await repository.resolve('n')).version).toBe('1');
    for (const refused of [repository.resolve('m', '1'), repository.resolveAlias('m', 'best')]) {
      expect(await messageOf(refused)).toEqual([503, `Model "m" cannot be served: ${text}.`]);
    }
    expect(state.problems).toEqual([`model "m": ${text}`]);
  });

  it('holds for aliases', async () => {
    const { repository } = open(
      await makeFolder({
        ...versions('m', '1', '2'),
        'm/config.pbtxt': 'version_policy { specific { versions: 1 } }',
        'm/deployment.json': '{"aliases": {"old": "1", "next": "2"}}',
      }),
    );
    expect((await repository.resolveAlias('m', 'old')).version).toBe('1');
    expect(await messageOf(repository.resolve('m', 'next'))).toEqual([
      404,
      'Alias "next" of model "m" points to version "2", which the version_policy in its config.pbtxt excludes; the served versions are 1.',
    ]);
  });

  it('is read once while the file stays the same, and also for a single version', async () => {
    const folder = await makeFolder({
      ...versions('m', '1', '2'),
      ...versions('plain', '1'),
      'm/config.pbtxt': 'version_policy { latest { num_versions: 1 } }',
    });
    const { repository, state, renewed } = open(folder);
    await repository.list();
    await renewed();
    expect(state.reads).toEqual(['m/config.pbtxt']);
    await writeFiles(folder, { 'm/config.pbtxt': 'version_policy { all { } }' });
    await renewed();
    expect((await repository.versions('m'))?.versions).toEqual(['1', '2']);
    expect(state.reads).toEqual(['m/config.pbtxt', 'm/config.pbtxt']);
  });

  it('stays in force while its file cannot be fetched; one that was never read affects its own model', async () => {
    const folder = await makeFolder({
      ...versions('m', '1', '2'),
      ...versions('n', '1'),
      'm/config.pbtxt': 'version_policy { specific { versions: 1 } }',
    });
    const { repository, state, renewed } = open(folder);
    await repository.list();
    state.fails = true;
    await writeFiles(folder, {
      'm/config.pbtxt': 'version_policy { specific { versions: [2] } }',
      'n/config.pbtxt': 'version_policy { specific { versions: [2] } }',
      ...versions('n', '2'),
    });
    await renewed();
    expect((await repository.resolve('m')).version).toBe('1');
    expect(await messageOf(repository.resolve('n'))).toEqual([
      503,
      'Model "n" cannot be served: its config.pbtxt cannot be read from the model repository.',
    ]);
    state.fails = false;
    await renewed();
    expect((await repository.resolve('m')).version).toBe('2');
    expect((await repository.resolve('n')).version).toBe('2');
  });
});
