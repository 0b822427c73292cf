import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ownName } from '../../../shared/leftovers.ts';
import { createArtifactCache } from '../../../shared/models/artifact-cache.ts';
import { TEMPORARY_FOLDER } from '../../../shared/models/artifact-folder.ts';
import { MARKS_FOLDER } from '../../../shared/models/artifact-leases.ts';
import { createModelRepository } from '../../../shared/models/model-repository.ts';
import type { ModelStore } from '../../../shared/stores/model-store.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';

const disk = vi.hoisted(() => ({ folder: '', sizeBytes: Number.POSITIVE_INFINITY }));

// A disk of a chosen size: what is removed from it makes room.
vi.mock('node:fs/promises', async (importOriginal) => {
  const { diskError, interceptWrites } = await import('./intercept-writes.ts');
  const original = await importOriginal<typeof import('node:fs/promises')>();
  const usedBytes = async () => {
    const entries = await original.readdir(disk.folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const sizes = await Promise.all(
      files.map(async ({ parentPath, name }) => (await original.stat(join(parentPath, name))).size),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  return interceptWrites(original, async (length) => {
    if (disk.sizeBytes !== Number.POSITIVE_INFINITY && (await usedBytes()) + length > disk.sizeBytes)
      throw diskError('ENOSPC');
    return length;
  });
});

const store: ModelStore = {
  url: 'memory://models',
  list: async (prefix) =>
    names
      .map((name) => ({ path: `${name}/1/model.onnx`, sizeBytes: 1000, etag: name }))
      .filter(({ path }) => path.startsWith(prefix)),
  read: async (_file, start, end) => Readable.from([Buffer.alloc(end - start)]),
};

let folder: string;
let names: readonly string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ternion-room-'));
  names = ['a', 'b', 'c', 'd'];
  Object.assign(disk, { folder, sizeBytes: 2500 });
});

afterEach(async () => {
  disk.sizeBytes = Number.POSITIVE_INFINITY;
  await rm(folder, { recursive: true });
});

const open = () => createArtifactCache({ store, folder });
const isThere = async (path: string) => (await stat(path).catch(() => undefined)) !== undefined;
const downloads = async () => (await readdir(folder)).filter((name) => /^[0-9a-f]{64}/.test(name));

/** Makes it look as if it was used that many seconds ago. */
async function age(path: string, seconds: number): Promise<void> {
  const then = Date.now() / 1000 - seconds;
  await utimes(path, then, then);
}

describe('a download that finds no space', () => {
  it('replaces the one that was used longest ago', async () => {
    const cache = open();
    const a = await cache.fetchFolder('a/1');
    const b = await cache.fetchFolder('b/1');
    await Promise.all([cache.releaseFolder(a), cache.releaseFolder(b)]);
    await age(a, 20);
    await age(b, 10);
    // Using it again makes it the newer one.
    await cache.releaseFolder(await cache.fetchFolder('a/1'));
    const c = await cache.fetchFolder('c/1');
    expect(await Promise.all([a, b, c].map(isThere))).toEqual([true, false, true]);
    expect(await readdir(join(folder, TEMPORARY_FOLDER))).toEqual([]);
  });

  it('fails while all others are used, and succeeds when one is not', async () => {
    const cache = open();
    const a = await cache.fetchFolder('a/1');
    const b = await cache.fetchFolder('b/1');
    await expect(cache.fetchFolder('c/1')).rejects.toMatchObject({ reason: 'no-space' });
    expect(await Promise.all([a, b].map(isThere))).toEqual([true, true]);
    await cache.releaseFolder(b);
    await cache.fetchFolder('c/1');
    expect(await Promise.all([a, b].map(isThere))).toEqual([true, false]);
  });

  it('keeps a version that was fetched twice until it is released twice', async () => {
    const cache = open();
    const [a] = [await cache.fetchFolder('a/1'), await cache.fetchFolder('a/1')];
    await cache.fetchFolder('b/1');
    await cache.releaseFolder(a);
    await expect(cache.fetchFolder('c/1')).rejects.toMatchObject({ reason: 'no-space' });
    await cache.releaseFolder(a);
    await cache.fetchFolder('c/1');
    expect(await isThere(a)).toBe(false);
  });

  it('fails where it would not fit even alone, and names the settings', async () => {
    disk.sizeBytes = 900;
    await expect(open().fetchFolder('a/1')).rejects.toThrow(/No space left .* MODEL_CACHE_FOLDER/);
  });

  it('keeps versions that others sharing the folder use, and removes those that they have released', async () => {
    const other = open();
    const a = await other.fetchFolder('a/1');
    const b = await other.fetchFolder('b/1');
    await other.releaseFolder(b);
    await age(a, 20);
    await open().fetchFolder('c/1');
    expect(await Promise.all([a, b].map(isThere))).toEqual([true, false]);
  });

  it('ignores uses by a process that died', async () => {
    const first = open();
    const a = await first.fetchFolder('a/1');
    await first.releaseFolder(a);
    const { pid } = spawnSync(process.execPath, ['--version']);
    const mark = ownName(`.use.${basename(a)}`).replace(`-${process.pid}-`, `-${pid}-`);
    await writeFile(join(folder, MARKS_FOLDER, mark), '');
    await first.fetchFolder('b/1');
    await open().fetchFolder('c/1');
    expect(await isThere(a)).toBe(false);
  });

  it('removes downloads that were never completed', async () => {
    disk.sizeBytes = 1500;
    names = ['a', 'b'];
    const two: ModelStore = {
      ...store,
      list: async () => ['0', '1'].map((name) => ({ path: `two/1/${name}`, sizeBytes: 1000, etag: 'x' })),
      read: async (file, start, end) => {
        if (file.path === 'two/1/1')
          await vi.waitFor(async () =>
            expect(await readdir(folder, { recursive: true })).toContainEqual(
              expect.stringMatching(/partial\/0$/),
            ),
          );
        return await store.read(file, start, end);
      },
    };
    await expect(createArtifactCache({ store: two, folder }).fetchFolder('two/1')).rejects.toMatchObject({
      reason: 'no-space',
    });
    expect(await downloads()).toEqual([expect.stringMatching(/\.partial$/)]);
    const a = await open().fetchFolder('a/1');
    expect(await downloads()).toEqual([basename(a)]);
  });
});

describe('a version that is gone from the repository', () => {
  it('is removed once no model of it is loaded, and others stay', async () => {
    let nowMs = 0;
    const repository = createModelRepository({
      configs: KNOWN_TASKS,
      store,
      artifacts: open(),
      listingTtlMs: 10,
      now: () => nowMs,
    });
    const renew = async () => {
      nowMs += 11;
      await repository.list();
    };
    disk.sizeBytes = Number.POSITIVE_INFINITY;
    const opened = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => await repository.open({ name, version: '1' })),
    );
    const [a, b, c] = opened;
    if (!a || !b || !c) throw new Error('three models were opened');
    await Promise.all([a.release(), c.release()]);
    names = ['c'];
    await renew();
    await vi.waitFor(async () => expect(await isThere(a.path)).toBe(false));
    expect(await Promise.all([b.path, c.path].map(isThere))).toEqual([true, true]);
    await b.release();
    await renew();
    await vi.waitFor(async () => expect(await isThere(b.path)).toBe(false));
    expect(await downloads()).toEqual([basename(c.path)]);
  });
});
