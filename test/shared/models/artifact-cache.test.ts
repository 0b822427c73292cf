import { mkdir, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ownName } from '../../../shared/leftovers.ts';
import { createArtifactCache } from '../../../shared/models/artifact-cache.ts';
import { TEMPORARY_FOLDER } from '../../../shared/models/artifact-folder.ts';
import { LARGE_BYTES } from '../../../shared/models/hash-file.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import type { ModelStore } from '../../../shared/stores/model-store.ts';
import {
  bytes,
  countGets,
  isModel,
  KIBIBYTE,
  makeFolder,
  manifest,
  memoryStore,
  rangesOf,
  remains,
  setup,
} from '../../support/artifact-setup.ts';

/** A name of a file that a process makes. */
function nameOf(pid: number, host = '$1'): string {
  return ownName().replace(/^(.{16})-\d+/, `${host}-${pid}`);
}

describe('fetchFolder over a remote store', () => {
  it('downloads all files of a version in parts and gives their folder', async () => {
    const model = bytes(250 * KIBIBYTE);
    const { server, folder, open } = await setup({
      'iris/2/model.onnx': model,
      'iris/2/deep/labels.txt': 'a\nb',
      'iris/2/empty': '',
      'iris/20/other': 'x',
    });
    const path = await open().fetchFolder('iris/2');
    expect(path.startsWith(join(folder, '/'))).toBe(true);
    expect((await readFile(join(path, 'model.onnx'))).equals(model)).toBe(true);
    expect(await readFile(join(path, 'deep/labels.txt'), 'utf8')).toBe('a\nb');
    expect(await readFile(join(path, 'empty'), 'utf8')).toBe('');
    expect((await readdir(path)).sort()).toEqual(['deep', 'empty', 'model.onnx']);
    expect(rangesOf(server.requests)).toEqual([
      { start: 0, end: 102400 },
      { start: 102400, end: 204800 },
      { start: 204800, end: 256000 },
    ]);
    expect(await remains(folder)).toEqual([]);
  });

  it('keeps to the limit of requests in progress, over all files', async () => {
    let inProgress = 0;
    let most = 0;
    const read: ModelStore['read'] = async (_file, start, end) => {
      inProgress += 1;
      most = Math.max(most, inProgress);
      const stream = Readable.from(
        (async function* () {
          await new Promise(setImmediate);
          yield Buffer.alloc(end - start);
        })(),
      );
      return stream.on('close', () => {
        inProgress -= 1;
      });
    };
    const store = memoryStore([25_000, 5, 30_000, 20_000], read);
    const options = { folder: await makeFolder(), partBytes: 10_000, requests: 3 };
    await createArtifactCache({ store, ...options }).fetchFolder('iris/1');
    expect([inProgress, most]).toEqual([0, 3]);
  });

  it('downloads once for calls at the same time and asks for nothing when called again', async () => {
    const { server, open } = await setup({ 'iris/1/model.onnx': bytes(150 * KIBIBYTE) });
    const cache = open();
    const paths = await Promise.all([1, 2, 3, 4].map(() => cache.fetchFolder('iris/1')));
    expect(new Set(paths).size).toBe(1);
    expect(countGets(server.requests)).toBe(2);
    expect(await cache.fetchFolder('iris/1')).toBe(paths[0]);
    expect(server.requests).toHaveLength(3);
  });

  it('uses the downloads of an earlier process', async () => {
    const { server, open } = await setup({ 'iris/1/model.onnx': 'x' });
    const path = await open().fetchFolder('iris/1');
    expect(await open().fetchFolder('iris/1')).toBe(path);
    expect(countGets(server.requests)).toBe(1);
  });

  it('lets several caches fetch into one folder at the same time', async () => {
    const model = bytes(500 * KIBIBYTE);
    const { server, folder, open } = await setup({
      'iris/1/model.onnx': model,
      'iris/1/a': 'a',
      'iris/1/b': 'b',
    });
    const effect = { kind: 'slow' as const, chunkBytes: 20 * KIBIBYTE, pauseMs: 1 };
    server.addFault({ when: isModel, effect });
    const paths = await Promise.all([1, 2, 3, 4, 5].map(() => open().fetchFolder('iris/1')));
    const [path = '', ...others] = paths;
    expect(others).toEqual([path, path, path, path]);
    expect((await readFile(join(path, 'model.onnx'))).equals(model)).toBe(true);
    expect((await readdir(path)).sort()).toEqual(['a', 'b', 'model.onnx']);
    expect(await remains(folder)).toEqual([]);
  });

  it('never shows half a version, whichever of several caches ends first', async () => {
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => n * 100);
    const read: ModelStore['read'] = async (_file, start, end) => {
      await sleep(Math.random() * 3);
      return Readable.from([Buffer.alloc(end - start)]);
    };
    const store = memoryStore(sizes, read);
    for (let round = 0; round < 20; round++) {
      const folder = await makeFolder();
      const open = () => createArtifactCache({ store, folder, partBytes: 300, requests: 4 });
      const listings = [1, 2, 3, 4, 5].map(
        async () => (await readdir(await open().fetchFolder('iris/1'))).length,
      );
      expect(await Promise.all(listings)).toEqual([8, 8, 8, 8, 8]);
      expect(await remains(folder)).toEqual([]);
    }
  });

  it('puts back files that were taken out of a finished folder', async () => {
    const { server, open } = await setup({ 'iris/1/model.onnx': 'model', 'iris/1/a': 'abc' });
    const cache = open();
    const path = await cache.fetchFolder('iris/1');
    await rm(join(path, 'a'));
    expect(await cache.fetchFolder('iris/1')).toBe(path);
    await truncate(join(path, 'a'), 1);
    expect(await open().fetchFolder('iris/1')).toBe(path);
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('abc');
    const keys = server.requests.filter(({ operation }) => operation === 'GetObject').map(({ key }) => key);
    expect(keys.sort()).toEqual(['iris/1/a', 'iris/1/a', 'iris/1/a', 'iris/1/model.onnx']);
  });

  it('fetches to another folder when the content has changed', async () => {
    const { server, open } = await setup({ 'iris/1/model.onnx': 'old' });
    const old = await open().fetchFolder('iris/1');
    server.put('iris/1/model.onnx', 'new');
    const path = await open().fetchFolder('iris/1');
    expect(path).not.toBe(old);
    expect(await readFile(join(path, 'model.onnx'), 'utf8')).toBe('new');
    expect(await readFile(join(old, 'model.onnx'), 'utf8')).toBe('old');
  });

  it.each([
    ['now', 0],
    ['in a quarter of an hour', 16 * 60_000],
  ])(
    'removes files of processes that died while writing, not those of running ones, %s',
    async (_, laterMs) => {
      const { folder, open } = await setup({ 'iris/1/model.onnx': 'x' });
      const temporary = join(folder, TEMPORARY_FOLDER);
      const names = {
        running: nameOf(1),
        // Linux numbers processes up to 2^22.
        ended: nameOf(99_999_999),
        // Of another thread, or of an earlier process that had the same number.
        same: ownName(),
        // Whether it runs cannot be seen from here.
        elsewhere: nameOf(99_999_999, '0'.repeat(16)),
        user: '99999999-invoice.pdf',
      };
      await mkdir(temporary, { recursive: true, mode: 0o700 });
      for (const name of Object.values(names)) await writeFile(join(temporary, name), 'half');
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + laterMs });
      onTestFinished(() => void vi.useRealTimers());
      await open().fetchFolder('iris/1');
      const { running, same, elsewhere, user } = names;
      const kept = laterMs > 0 ? [running, user] : [running, user, same, elsewhere];
      expect((await readdir(temporary)).sort()).toEqual(kept.sort());
    },
  );

  it('rejects with "missing" when the folder has no files', async () => {
    const { open } = await setup({ 'iris/1/model.onnx': 'x' });
    await expect(open().fetchFolder('iris/2')).rejects.toMatchObject({
      name: 'StoreError',
      reason: 'missing',
    });
    for (const folder of ['../iris', 'iris//1', 'iris\\1', '/iris', 'iris/./1', 'iris/1/']) {
      await expect(open().fetchFolder(folder)).rejects.toThrow('is not a folder of a model repository');
    }
  });

  it('hashes a large file while its parts arrive, and downloads it once more if they are wrong', async () => {
    const model = bytes(LARGE_BYTES + 100);
    const { server, open } = await setup({
      'iris/1/model.onnx': model,
      'iris/1/files.json': manifest({ 'model.onnx': model }),
    });
    const damageParts = (times: number) =>
      server.addFault({ when: isModel, times, effect: { kind: 'wrong-bytes' } });
    damageParts(1);
    const path = await open().fetchFolder('iris/1');
    expect((await readFile(join(path, 'model.onnx'))).equals(model)).toBe(true);
    await rm(path, { recursive: true });
    damageParts(1000);
    await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({
      reason: 'corrupt',
      message: expect.stringContaining('iris/1/model.onnx is damaged'),
    });
  });

  it('tries again after a failure', async () => {
    const { server, open } = await setup({ 'iris/1/model.onnx': 'x' });
    const cache = open();
    server.addFault({
      when: () => true,
      times: 1,
      effect: { kind: 'refuse', status: 403, code: 'AccessDenied' },
    });
    await expect(cache.fetchFolder('iris/1')).rejects.toMatchObject({ reason: 'denied' });
    expect(await readFile(join(await cache.fetchFolder('iris/1'), 'model.onnx'), 'utf8')).toBe('x');
  });

  it('rejects with "unwritable" when the cache folder cannot be made', async () => {
    const { folder, open } = await setup({ 'iris/1/model.onnx': 'x' });
    await writeFile(folder, 'a file where the folder should be');
    await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({
      reason: 'unwritable',
      message: expect.stringContaining('MODEL_CACHE_FOLDER'),
    });
  });
});

describe('fetchFolder over a local store', () => {
  async function setupLocal(files: Readonly<Record<string, string | Buffer>>) {
    const root = await makeFolder();
    await mkdir(join(root, 'iris/1'), { recursive: true });
    for (const [path, content] of Object.entries(files)) await writeFile(join(root, path), content);
    const store = openFilesystemStore(root);
    let reads = 0;
    const counting = {
      ...store,
      read: (...args: Parameters<typeof store.read>) => {
        reads += 1;
        return store.read(...args);
      },
    };
    const folder = join(root, 'not-made');
    return { root, cache: createArtifactCache({ store: counting, folder }), reads: () => reads };
  }
  const model = Buffer.from('model');
  const published = { 'iris/1/model.onnx': model, 'iris/1/files.json': manifest({ 'model.onnx': model }) };

  it('uses the folder in place and copies nothing', async () => {
    const { root, cache, reads } = await setupLocal({ 'iris/1/model.onnx': model });
    expect(await cache.fetchFolder('iris/1')).toBe(join(root, 'iris/1'));
    expect(await readdir(root)).toEqual(['iris']);
    expect(reads()).toBe(0);
  });

  it('checks the files against files.json once', async () => {
    const { root, cache, reads } = await setupLocal(published);
    expect(await cache.fetchFolder('iris/1')).toBe(join(root, 'iris/1'));
    expect(await cache.fetchFolder('iris/1')).toBe(join(root, 'iris/1'));
    expect(reads()).toBe(2);
  });

  it('rejects with "corrupt" when a file is not what files.json says', async () => {
    const { root, cache } = await setupLocal({ ...published, 'iris/1/model.onnx': 'molel' });
    await expect(cache.fetchFolder('iris/1')).rejects.toMatchObject({
      reason: 'corrupt',
      message: expect.stringContaining('iris/1/model.onnx is damaged'),
    });
    await writeFile(join(root, 'iris/1/model.onnx'), model);
    expect(await cache.fetchFolder('iris/1')).toBe(join(root, 'iris/1'));
  });

  it.each([
    ['of the same size and time, in place', async (path: string) => await writeFile(path, 'molel'), true],
    ['of another size', async (path: string) => await writeFile(path, 'models'), true],
    [
      'that took its name',
      async (path: string) => {
        await writeFile(`${path}.new`, 'molel');
        await rename(`${path}.new`, path);
      },
      true,
    ],
    ['that is the same, written again', async (path: string) => await writeFile(path, 'model'), false],
  ])('checks a file again that was touched since: content %s', async (_, touch, isDamaged) => {
    const { root, cache, reads } = await setupLocal(published);
    await cache.fetchFolder('iris/1');
    const path = join(root, 'iris/1/model.onnx');
    const { atime, mtime } = await stat(path);
    await touch(path);
    await utimes(path, atime, mtime);
    const before = reads();
    if (isDamaged) {
      await expect(cache.fetchFolder('iris/1')).rejects.toMatchObject({ reason: 'corrupt' });
    } else {
      expect(await cache.fetchFolder('iris/1')).toBe(join(root, 'iris/1'));
      expect(reads() - before).toBe(2);
      await cache.fetchFolder('iris/1');
      expect(reads() - before).toBe(2);
    }
  });

  it('hashes large files while the caller continues, and small ones before', async () => {
    const weights = Buffer.alloc(LARGE_BYTES, 7);
    const files = { 'iris/1/model.onnx': model, 'iris/1/w.bin': weights };
    const list = { 'iris/1/files.json': manifest({ 'model.onnx': model, 'w.bin': weights }) };
    const { root, cache } = await setupLocal({ ...files, ...list });
    const good = await cache.beginFolder('iris/1');
    await good.checked();
    expect(good.path).toBe(join(root, 'iris/1'));

    const wrong = Buffer.from(weights);
    wrong[LARGE_BYTES - 1] = 8;
    await writeFile(join(root, 'iris/1/w.bin'), wrong);
    const begun = await cache.beginFolder('iris/1');
    await begun.checked((path) => path === 'model.onnx');
    await expect(begun.checked()).rejects.toMatchObject({ reason: 'corrupt', file: 'w.bin' });
    // It is not taken for checked after that.
    await expect(cache.fetchFolder('iris/1')).rejects.toMatchObject({ reason: 'corrupt' });

    await writeFile(join(root, 'iris/1/model.onnx'), 'molel');
    await expect(cache.beginFolder('iris/1')).rejects.toMatchObject({ file: 'model.onnx' });
    await writeFile(join(root, 'iris/1/model.onnx'), model);
    await writeFile(join(root, 'iris/1/w.bin'), weights);
    expect(await cache.fetchFolder('iris/1')).toBe(join(root, 'iris/1'));
  });

  it('rejects with "missing" when there is no such folder', async () => {
    const { cache } = await setupLocal({});
    await expect(cache.fetchFolder('iris/2')).rejects.toMatchObject({ reason: 'missing' });
  });
});
