import type { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { ModelStore, StoredFile } from '../../shared/stores/model-store.ts';

/** A store over a repository of its own, which the test may change behind the store's back. */
export interface StoreUnderTest {
  readonly store: ModelStore;
  write(path: string, content: string | Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  close(): Promise<void>;
}

/** Makes a repository with these files, or gives a store of a repository that does not exist. */
export type OpenStore = (files: Readonly<Record<string, string>> | undefined) => Promise<StoreUnderTest>;

/** What every model store does, whatever it is made of. */
export function describeModelStore(name: string, open: OpenStore): void {
  describe(`${name} as a model store`, () => {
    const opened: StoreUnderTest[] = [];
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((subject) => subject.close()));
    });
    const given: OpenStore = async (files) => {
      const subject = await open(files);
      opened.push(subject);
      return subject;
    };
    describeList(given);
    describeRead(given);
  });
}

function describeList(given: OpenStore): void {
  it('lists all files with their size, sorted by path', async () => {
    const { store } = await given({
      'b/1/model.onnx': 'four',
      'a.txt': '',
      'a/10/x': '12',
      'B/é ü&<1>.txt': 'é',
    });
    const files = await store.list('');
    expect(files.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ['B/é ü&<1>.txt', 2],
      ['a.txt', 0],
      ['a/10/x', 2],
      ['b/1/model.onnx', 4],
    ]);
  });

  it('lists one folder without its neighbours of a longer name', async () => {
    const { store } = await given({
      'iris/1/a': '1',
      'iris/1/deep/b': '2',
      'iris/10/c': '3',
      'iris/1x': '4',
    });
    expect(pathsOf(await store.list('iris/1'))).toEqual(['iris/1/a', 'iris/1/deep/b']);
  });

  it('lists nothing below a folder that is not there, or that is a file', async () => {
    const { store } = await given({ 'iris/1/a': '1' });
    expect(await store.list('rose')).toEqual([]);
    expect(await store.list('iris/1/a')).toEqual([]);
  });

  it('skips names that start with a dot', async () => {
    const { store } = await given({
      '.git/config': '1',
      'iris/.DS_Store': '2',
      'iris/.cache/x': '3',
      'iris/y': '4',
    });
    expect(pathsOf(await store.list(''))).toEqual(['iris/y']);
    expect(await store.list('.git')).toEqual([]);
  });

  it('rejects with "missing" when the repository does not exist', async () => {
    const { store } = await given(undefined);
    await expect(store.list('')).rejects.toMatchObject({ name: 'StoreError', reason: 'missing' });
  });

  it('gives a file another etag when its content changes', async () => {
    const { store, write } = await given({ a: 'one', b: 'same' });
    const [a, b] = await store.list('');
    await write('a', 'two');
    const [changed, same] = await store.list('');
    expect(changed?.etag).not.toBe(a?.etag);
    expect(same?.etag).toBe(b?.etag);
  });
}

function describeRead(given: OpenStore): void {
  it('reads a whole file, a range of it, its last byte and an empty range', async () => {
    const { store } = await given({ 'a b+%25/ü.bin': '0123456789' });
    const file = only(await store.list(''));
    expect(await textOf(store.read(file, 0, 10))).toBe('0123456789');
    expect(await textOf(store.read(file, 3, 7))).toBe('3456');
    expect(await textOf(store.read(file, 9, 10))).toBe('9');
    expect(await textOf(store.read(file, 4, 4))).toBe('');
  });

  it('reads a file of 0 bytes', async () => {
    const { store } = await given({ empty: '' });
    expect(await textOf(store.read(only(await store.list('')), 0, 0))).toBe('');
  });

  it('rejects with "missing" when the file was removed after it was listed', async () => {
    const { store, remove } = await given({ a: 'one', b: '' });
    const files = await store.list('');
    await remove('a');
    await remove('b');
    for (const file of files) {
      await expect(store.read(file, 0, file.sizeBytes)).rejects.toMatchObject({
        name: 'StoreError',
        reason: 'missing',
        message: expect.stringContaining(`/${file.path}`),
      });
    }
  });

  it('rejects with "changed" when the file was replaced after it was listed', async () => {
    const { store, write } = await given({ a: 'one' });
    const file = only(await store.list(''));
    await write('a', 'two');
    await expect(store.read(file, 1, 3)).rejects.toMatchObject({ name: 'StoreError', reason: 'changed' });
  });

  it('reads nothing outside the repository', async () => {
    const { store } = await given({ a: 'one' });
    const file = { path: '../../../../../../../../etc/hosts', sizeBytes: 10, etag: '"x"' };
    await expect(store.read(file, 0, 10)).rejects.toMatchObject({ name: 'StoreError' });
  });
}

function pathsOf(files: readonly StoredFile[]): string[] {
  return files.map(({ path }) => path);
}

function only(files: readonly StoredFile[]): StoredFile {
  const [file, ...others] = files;
  if (!file || others.length > 0) throw new Error(`expected one file, found ${files.length}`);
  return file;
}

async function textOf(stream: Promise<Readable>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
