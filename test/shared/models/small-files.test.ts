import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createSmallFiles } from '../../../shared/models/small-files.ts';
import { type ModelStore, type StoredFile, StoreError } from '../../../shared/stores/model-store.ts';

/** A store that counts its reads, and fails the first `failures`. A file holds a number, one more at each read. */
function countingStore(failures = 0) {
  const count = { reads: 0, parses: 0 };
  const store: ModelStore = {
    url: 'memory://models',
    list: async () => [],
    read: async () => {
      count.reads += 1;
      if (count.reads <= failures) throw new StoreError('unreachable', 'away');
      return Readable.from([Buffer.from(`{"read": ${count.reads}}`)]);
    },
  };
  const parse = (text: string): unknown => {
    count.parses += 1;
    return JSON.parse(text);
  };
  return { store, parse, count };
}

const FILE: StoredFile = { path: 'a/1/model.json', sizeBytes: 11, etag: 'e' };

describe('a small file', () => {
  it('is read and parsed once as long as its etag stays', async () => {
    const { store, parse, count } = countingStore();
    const read = createSmallFiles(store).reader(parse);
    expect(await Promise.all([read(FILE), read(FILE)])).toEqual([{ read: 1 }, { read: 1 }]);
    expect(await read(FILE)).toEqual({ read: 1 });
    expect(count).toEqual({ reads: 1, parses: 1 });
    expect(await read({ ...FILE, etag: 'f' })).toEqual({ read: 2 });
    expect(count).toEqual({ reads: 2, parses: 2 });
  });

  it('is read once for readers of several kinds', async () => {
    const { store, parse, count } = countingStore();
    const files = createSmallFiles(store);
    expect(await files.reader(parse)(FILE)).toEqual({ read: 1 });
    expect(await files.reader((text) => text)(FILE)).toBe('{"read": 1}');
    expect(count).toEqual({ reads: 1, parses: 1 });
  });

  it('is read again after the store failed, and not parsed again when that failed', async () => {
    const { store, count } = countingStore(1);
    const read = createSmallFiles(store).reader((): never => {
      count.parses += 1;
      throw new Error('broken');
    });
    await expect(read(FILE)).rejects.toThrow('away');
    await expect(read(FILE)).rejects.toThrow('broken');
    await expect(read(FILE)).rejects.toThrow('broken');
    expect(count).toEqual({ reads: 2, parses: 1 });
  });

  it('is forgotten when it is not kept', async () => {
    const { store, parse } = countingStore();
    const files = createSmallFiles(store);
    const read = files.reader(parse);
    await read(FILE);
    files.keep([FILE]);
    expect(await read(FILE)).toEqual({ read: 1 });
    files.keep([]);
    expect(await read(FILE)).toEqual({ read: 2 });
  });
});
