import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createArtifactCache } from '../../../shared/models/artifact-cache.ts';
import { TEMPORARY_FOLDER } from '../../../shared/models/artifact-folder.ts';
import type { ModelStore } from '../../../shared/stores/model-store.ts';

const disk = vi.hoisted(() => ({
  freeBytes: Number.POSITIVE_INFINITY,
  mostAtOnce: Number.POSITIVE_INFINITY,
  code: 'ENOSPC',
}));

// A disk that is full at a chosen byte.
vi.mock('node:fs/promises', async (importOriginal) => {
  const { diskError, interceptWrites } = await import('./intercept-writes.ts');
  return interceptWrites(await importOriginal(), (length) => {
    const fitting = Math.min(length, disk.freeBytes, disk.mostAtOnce);
    if (fitting === 0) throw diskError(disk.code);
    disk.freeBytes -= fitting;
    return fitting;
  });
});

let folder: string;
let reads: number;

beforeEach(async () => {
  reads = 0;
  folder = await mkdtemp(join(tmpdir(), 'ternion-disk-'));
});

afterEach(async () => {
  Object.assign(disk, { freeBytes: Number.POSITIVE_INFINITY, mostAtOnce: Number.POSITIVE_INFINITY });
  await rm(folder, { recursive: true });
});

const CONTENT = Buffer.from(Uint8Array.from({ length: 1000 }, (_, index) => index));

const store: ModelStore = {
  url: 'memory://models',
  list: async () => [{ path: 'iris/1/model.onnx', sizeBytes: 1000, etag: 'x' }],
  read: async (_file, start, end) => {
    reads += 1;
    return Readable.from([CONTENT.subarray(start, start + 10), CONTENT.subarray(start + 10, end)]);
  },
};

describe('fetchFolder on a disk in trouble', () => {
  it.each([
    ['ENOSPC', 'no-space', 'No space left for iris/1/model.onnx (1000 bytes)'],
    ['EDQUOT', 'no-space', 'No space left for iris/1/model.onnx (1000 bytes)'],
    ['EIO', 'unwritable', 'Cannot write iris/1/model.onnx (1000 bytes)'],
  ])('turns %s into "%s" without asking the store again', async (code, reason, message) => {
    Object.assign(disk, { freeBytes: 600, code });
    const cache = createArtifactCache({ store, folder });
    await expect(cache.fetchFolder('iris/1')).rejects.toMatchObject({
      name: 'StoreError',
      reason,
      message: expect.stringContaining(message),
      cause: { code },
    });
    expect(reads).toBe(1);
    expect(await readdir(join(folder, TEMPORARY_FOLDER))).toEqual([]);
  });

  it('continues when a write takes only a part of the bytes', async () => {
    Object.assign(disk, { freeBytes: 1000, mostAtOnce: 300 });
    const path = await createArtifactCache({ store, folder }).fetchFolder('iris/1');
    expect((await readFile(join(path, 'model.onnx'))).equals(CONTENT)).toBe(true);
    expect(disk.freeBytes).toBe(0);
  });
});
