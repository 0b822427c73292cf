import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type ModelStore,
  type NewContent,
  type StoredFile,
  StoreError,
  type WritableStore,
} from '../../shared/stores/model-store.ts';
import { describeReleases } from './release-log.ts';

/** A store over a repository of its own, which the test may change without the store. */
export interface StoreUnderTest {
  readonly store: WritableStore;
  write(path: string, content: string | Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  close(): Promise<void>;
}

/** Makes a repository with these files, or gives a store of a repository that does not exist. */
export type OpenStore = (files: Readonly<Record<string, string>> | undefined) => Promise<StoreUnderTest>;

/** What a real server does not do as the store that it stands for. Everything else is asserted. */
export interface Lacks {
  /** It removes what is gone without an error. */
  readonly goneRemovals?: true;
  /** It removes any content, and not only the one that was listed. */
  readonly removalConditions?: true;
  /** It does not distinguish a file that is missing from a repository that is. */
  readonly missingRepositories?: true;
}

/** What every kind of model store does. */
export function describeModelStore(name: string, open: OpenStore, lacks: Lacks = {}): void {
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
    describeLoad(given, lacks);
    describeWrite(given, lacks);
    describeReleases(given);
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

  it('reads a file of several megabytes in chunks that are right while each is used', async () => {
    const { store, write } = await given({ other: '' });
    const content = randomBytes(3_333_333);
    await write('large', content);
    const file = (await store.list('')).find(({ path }) => path === 'large');
    if (!file) throw new Error('the listing lacks the file');
    for (const [start, end] of [
      [0, content.length],
      [1, 2_000_000],
    ] as const) {
      let position = start;
      for await (const chunk of await store.read(file, start, end)) {
        // What arrives meanwhile must not change it.
        await sleep(1);
        expect(content.subarray(position, position + chunk.length).equals(chunk)).toBe(true);
        position += chunk.length;
      }
      expect(position).toBe(end);
    }
  });

  it('ends a read whose signal is aborted', async () => {
    const { store, write } = await given({ other: '' });
    await write('large', Buffer.alloc(20_000_000));
    const file = (await store.list('')).find(({ path }) => path === 'large');
    if (!file) throw new Error('the listing lacks the file');
    const abort = new AbortController();
    let received = 0;
    const reading = (async () => {
      for await (const chunk of await store.read(file, 0, file.sizeBytes, abort.signal)) {
        received += chunk.length;
        abort.abort(new Error('enough'));
      }
    })();
    await expect(reading).rejects.toThrow();
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(file.sizeBytes);
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

function describeLoad(given: OpenStore, { missingRepositories }: Lacks): void {
  it('loads a file with its content, the etag of its listing and the time', async () => {
    const { store } = await given({ 'a/ü &.json': '{"a": "é"}', empty: '' });
    const [a, empty] = await store.list('');
    const loaded = await store.load('a/ü &.json');
    expect(loaded).toEqual({
      is: 'there',
      file: a,
      content: Buffer.from('{"a": "é"}'),
      storeMs: expect.any(Number),
    });
    expect(Math.abs(loaded.storeMs - Date.now())).toBeLessThan(60_000);
    expect(await store.load('empty')).toMatchObject({ is: 'there', file: empty, content: Buffer.alloc(0) });
  });

  it('loads a file again only if it has changed', async () => {
    const { store, write } = await given({ a: 'one' });
    const file = only(await store.list(''));
    expect(await store.load('a', file.etag)).toMatchObject({ is: 'unchanged' });
    expect(await store.load('a', file.etag)).toMatchObject({ is: 'unchanged' });
    await write('a', 'two');
    const [changed] = await store.list('');
    expect(await store.load('a', file.etag)).toMatchObject({
      is: 'there',
      file: changed,
      content: Buffer.from('two'),
    });
    const written = await store.write('b', contentOf('three'));
    expect(await store.load('b', written.etag)).toMatchObject({ is: 'unchanged' });
  });

  it('says which files are not there, and rejects with "missing" without a repository', async () => {
    const { store, remove } = await given({ a: 'one', 'b/c': 'two' });
    const [a] = await store.list('');
    await remove('a');
    for (const path of ['a', 'b', 'b/c/d', 'none', '.hidden'])
      expect(await store.load(path), path).toMatchObject({ is: 'missing' });
    expect(await store.load('a', a?.etag)).toMatchObject({ is: 'missing' });
    const nowhere = await given(undefined);
    const loading = nowhere.store.load('a');
    if (missingRepositories) expect(await loading).toMatchObject({ is: 'missing' });
    else await expect(loading).rejects.toMatchObject({ name: 'StoreError', reason: 'missing' });
  });

  it('loads no file that is too large, and ends with its signal', async () => {
    const { store, write } = await given({ a: 'one' });
    await write('large', Buffer.alloc(16_000_001));
    await expect(store.load('large')).rejects.toMatchObject({ name: 'StoreError', reason: 'corrupt' });
    await expect(store.load('a', undefined, AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    );
  });
}

function describeWrite(given: OpenStore, { goneRemovals, removalConditions }: Lacks): void {
  it('writes a file that does not exist, in folders that do not exist either', async () => {
    const { store } = await given({ a: 'one' });
    const written = await store.write('new/1/deep/ü &.txt', contentOf('two'));
    expect(written).toMatchObject({ path: 'new/1/deep/ü &.txt', sizeBytes: 3 });
    expect(await store.list('new')).toEqual([written]);
    expect(await textOf(store.read(written, 0, 3))).toBe('two');
    expect(await textOf(store.read(await store.write('empty', contentOf('')), 0, 0))).toBe('');
  });

  it('leaves an existing file alone when the write is for a new one', async () => {
    const { store } = await given({ a: 'one', empty: '' });
    await expect(store.write('a', contentOf('two'))).rejects.toMatchObject(CHANGED);
    await expect(store.write('empty', contentOf('two'))).rejects.toMatchObject(CHANGED);
    expect(await contentsOf(store)).toEqual({ a: 'one', empty: '' });
  });

  it('replaces the file that was listed, read or written before', async () => {
    const { store } = await given({ a: 'one' });
    const listed = only(await store.list(''));
    const second = await store.write('a', contentOf('two'), listed.etag);
    const third = await store.write('a', contentOf('six'), second.etag);
    expect(new Set([listed, second, third].map(({ etag }) => etag)).size).toBe(3);
    expect(await store.list('')).toEqual([third]);
    expect(await textOf(store.read(third, 0, 3))).toBe('six');
    await expect(store.read(second, 0, 3)).rejects.toMatchObject(CHANGED);
  });

  it('does not replace a file that has changed, or is gone', async () => {
    const { store, write, remove } = await given({ a: 'one', b: 'one' });
    const [a, b] = await store.list('');
    await write('a', 'twenty');
    await remove('b');
    await expect(store.write('a', contentOf('two'), a?.etag)).rejects.toMatchObject(CHANGED);
    await expect(store.write('b', contentOf('two'), b?.etag)).rejects.toMatchObject(CHANGED);
    expect(await contentsOf(store)).toEqual({ a: 'twenty' });
  });

  it('lets one of many concurrent writers of a file win, and rejects the others', async () => {
    const { store } = await given({ old: 'old' });
    const listed = only(await store.list(''));
    for (const [path, replaced] of [
      ['new', undefined],
      ['old', listed.etag],
    ] as const) {
      const contents = Array.from({ length: 8 }, (_, index) => `by ${index}`);
      const outcomes = await Promise.allSettled(
        contents.map((text) => store.write(path, contentOf(text), replaced)),
      );
      const won = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
      expect(won).toHaveLength(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(CHANGED);
      expect((await contentsOf(store))[path]).toBe(contents[won[0] ?? -1]);
    }
  });

  it('loses no change when many writers read and replace until they win', async () => {
    const { store } = await given({ count: '0' });
    const increment = async () => {
      for (;;) {
        try {
          const file = only(await store.list(''));
          const count = Number(await textOf(store.read(file, 0, file.sizeBytes)));
          return await store.write('count', contentOf(String(count + 1)), file.etag);
        } catch (error) {
          if (!(error instanceof StoreError) || error.reason !== 'changed') throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 6 }, increment));
    expect(await contentsOf(store)).toEqual({ count: '6' });
  });

  it('shows readers the old content or the new one, and lists nothing else', async () => {
    const old = 'a'.repeat(300_000);
    const next = 'b'.repeat(300_000);
    const { store } = await given({ file: old });
    const listed = only(await store.list(''));
    const writing = store.write('file', contentOf(next), listed.etag);
    const seen: string[] = [];
    for (let isDone = false; !isDone; ) {
      isDone = await Promise.race([
        writing.then(() => true),
        new Promise<false>((go) => setTimeout(go, 0, false)),
      ]);
      const file = only(await store.list(''));
      seen.push(
        await textOf(store.read(file, 0, file.sizeBytes)).catch((error: unknown) => {
          if (error instanceof StoreError && error.reason === 'changed') return next;
          throw error;
        }),
      );
    }
    expect(seen.at(-1) === next).toBe(true);
    expect(seen.filter((text) => text !== old && text !== next)).toEqual([]);
  });

  it('shows nothing of a file whose bytes cannot be read, and takes it later', async () => {
    const { store } = await given({ a: 'one' });
    const whole = contentOf('0123456789');
    const broken = {
      ...whole,
      open: () =>
        Readable.from(
          (async function* () {
            yield Buffer.from('01234');
            throw new Error('the disk fails');
          })(),
        ),
    };
    await expect(store.write('b', broken)).rejects.toThrow();
    expect(await contentsOf(store)).toEqual({ a: 'one' });
    await store.write('b', whole);
    expect(await contentsOf(store)).toEqual({ a: 'one', b: '0123456789' });
  });

  it('removes the file that was listed, and no other', async () => {
    const { store, write, remove } = await given({ 'a/1': 'one', 'a/2': 'one', 'a/3': 'one' });
    const [first, second, third] = await store.list('');
    if (!first || !second || !third) throw new Error('three files were given');
    await write('a/2', 'twenty');
    await remove('a/3');
    await store.remove(first);
    if (removalConditions) await store.remove(second);
    else await expect(store.remove(second)).rejects.toMatchObject(CHANGED);
    for (const gone of [first, third]) {
      if (goneRemovals) await store.remove(gone);
      else await expect(store.remove(gone)).rejects.toMatchObject(CHANGED);
    }
    const left = removalConditions ? {} : { 'a/2': 'twenty' };
    expect(await contentsOf(store)).toEqual(left);
    await store.write('a/1', contentOf('again'));
    expect(await contentsOf(store)).toEqual({ 'a/1': 'again', ...left });
  });

  it('writes and removes nothing that it would not list', async () => {
    const { store } = await given({ a: 'one' });
    for (const path of [
      '',
      '../a',
      'b/../../a',
      '/etc/ternion',
      'b//c',
      'b/',
      '.hidden',
      'b/.git/c',
      'b\\c',
    ]) {
      const refusal = { name: 'StoreError', reason: 'denied' };
      await expect(store.write(path, contentOf('two')), path).rejects.toMatchObject(refusal);
      await expect(store.remove({ path, sizeBytes: 3, etag: '"x"' }), path).rejects.toMatchObject(refusal);
    }
    expect(await contentsOf(store)).toEqual({ a: 'one' });
  });
}

const CHANGED = { name: 'StoreError', reason: 'changed' };

/** Bytes that are to be written. */
export function contentOf(text: string): NewContent {
  const bytes = Buffer.from(text);
  return {
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    open: () => Readable.from(bytes.length > 0 ? [bytes] : []),
  };
}

/** All files of a store with their content. */
async function contentsOf(store: ModelStore): Promise<Record<string, string>> {
  const files = await store.list('');
  const texts = await Promise.all(files.map((file) => textOf(store.read(file, 0, file.sizeBytes))));
  return Object.fromEntries(files.map(({ path }, index) => [path, texts[index] ?? '']));
}

function pathsOf(files: readonly StoredFile[]): string[] {
  return files.map(({ path }) => path);
}

function only(files: readonly StoredFile[]): StoredFile {
  const [file, ...others] = files;
  if (!file || others.length > 0) throw new Error(`expected one file, found ${files.length}`);
  return file;
}

/** The content of a stream as text. */
export async function textOf(stream: Promise<Readable>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
