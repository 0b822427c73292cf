import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { publishVersion, type StagedVersion } from '../../../functions/cli/publish/publish-version.ts';
import { listVersions } from '../../../shared/models/publish-files.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import type { WritableStore } from '../../../shared/stores/model-store.ts';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { contentOf } from '../../contracts/model-store.ts';
import { temporaryFolder } from '../../support/run-command.ts';
import { startS3Server } from '../../support/s3-server.ts';

const FILES = {
  'model.onnx': 'the graph',
  'a/weights.bin': 'weights',
  'model.json': '{}',
  MLmodel: 'flavors',
};
const ORDER = ['files.json', 'a/weights.bin', 'model.json', 'model.onnx', 'MLmodel'].map(
  (path) => `m/1/${path}`,
);

async function stage(files: Readonly<Record<string, string>>): Promise<StagedVersion> {
  const folder = await temporaryFolder();
  const listed = Object.entries(files).map(([path, content]) => ({
    path,
    sizeBytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
  const manifest = { files: listed.sort((a, b) => (a.path < b.path ? -1 : 1)) };
  for (const [path, content] of Object.entries({ ...files, 'files.json': JSON.stringify(manifest) })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return { folder, manifest };
}

/** The paths that are written to a store that fails after this many of them. */
function watch(store: WritableStore, breaksAfter = Number.POSITIVE_INFINITY) {
  const written: string[] = [];
  const watched: WritableStore = {
    ...store,
    write: async (path, content, replaced) => {
      if (written.length >= breaksAfter) throw new Error('the publisher is killed');
      written.push(path);
      return await store.write(path, content, replaced);
    },
  };
  return { store: watched, written };
}

async function contentsOf(store: WritableStore): Promise<Record<string, string>> {
  const files = await store.list('');
  const texts = await Promise.all(files.map(async (file) => text(await store.read(file, 0, file.sizeBytes))));
  return Object.fromEntries(files.map(({ path }, index) => [path, texts[index] ?? '']));
}

async function readStaged({ manifest }: StagedVersion, files: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries({ ...files, 'files.json': JSON.stringify(manifest) }).map(([path, content]) => [
      `m/1/${path}`,
      content,
    ]),
  );
}

describe.each([
  ['a folder', async () => openFilesystemStore(join(await temporaryFolder(), 'models'))],
  [
    'S3',
    async () => {
      const server = await startS3Server();
      onTestFinished(() => server.close());
      return openS3Store('s3://models/prod', server.client);
    },
  ],
])('a version that is published in %s', (_, open: () => Promise<WritableStore>) => {
  it('is claimed first, and becomes a version by its last file', async () => {
    const staged = await stage(FILES);
    const { store, written } = watch(await open());
    expect(await listVersions(store, 'm')).toEqual([]);
    const place = await publishVersion(store, 'm', '1', staged);
    expect(place).toBe(store.localPath?.('m/1') ?? 's3://models/prod/m/1');
    expect(written).toEqual(ORDER);
    expect(await contentsOf(store)).toEqual(await readStaged(staged, FILES));
    expect(await listVersions(store, 'm')).toEqual(['1']);
  });

  it('is completed by the same files after any interruption, and by no others', async () => {
    const [staged, other] = [await stage(FILES), await stage({ ...FILES, 'model.onnx': 'another graph' })];
    for (let writes = 0; writes < ORDER.length; writes++) {
      const store = await open();
      await expect(publishVersion(watch(store, writes).store, 'm', '1', staged)).rejects.toThrow('killed');
      if (writes > 0) {
        const before = await contentsOf(store);
        expect(await publishVersion(store, 'm', '1', other)).toBeUndefined();
        expect(await contentsOf(store)).toEqual(before);
      }
      if (writes < 4) expect(await listVersions(store, 'm')).toEqual([]);
      const { store: again, written } = watch(store);
      expect(await publishVersion(again, 'm', '1', staged)).toBeDefined();
      expect(written).toEqual(ORDER.slice(writes));
      expect(await contentsOf(store)).toEqual(await readStaged(staged, FILES));
    }
  });

  it('is completed even if one of its files was damaged in the meantime', async () => {
    const staged = await stage(FILES);
    const store = await open();
    await expect(publishVersion(watch(store, 2).store, 'm', '1', staged)).rejects.toThrow('killed');
    const weights = (await store.list('m/1')).find(({ path }) => path.endsWith('weights.bin'));
    await store.write('m/1/a/weights.bin', contentOf('wEIghts'), weights?.etag);
    expect(await publishVersion(store, 'm', '1', staged)).toBeDefined();
    expect(await contentsOf(store)).toEqual(await readStaged(staged, FILES));
  });

  it.each([
    ['other files', (index: number) => ({ ...FILES, 'model.onnx': `graph ${index}` })],
    ['the same files', () => FILES],
  ])('is written by one of several publishers of %s', async (_kind, filesOf) => {
    const store = await open();
    const staged = await Promise.all([0, 1, 2, 3].map((index) => stage(filesOf(index))));
    const places = await Promise.all(staged.map((each) => publishVersion(store, 'm', '1', each)));
    const winners = places.flatMap((place, index) => (place === undefined ? [] : [index]));
    expect(winners).toHaveLength(1);
    const [winner = -1] = winners;
    const winning = staged[winner];
    if (!winning) throw new Error('one has won');
    expect(await contentsOf(store)).toEqual(await readStaged(winning, filesOf(winner)));
  });

  it.each([['m/1/notes.txt'], ['m/1/model.onnx'], ['m/1/deep/er/x'], ['m/1/files.json']])(
    'does not overwrite %s of another publisher',
    async (path) => {
      const store = await open();
      await store.write(path, contentOf('of another publisher'));
      await store.write('m/10/model.onnx', contentOf('a neighbour'));
      expect(await publishVersion(store, 'm', '1', await stage(FILES))).toBeUndefined();
      expect(await contentsOf(store)).toEqual({
        [path]: 'of another publisher',
        'm/10/model.onnx': 'a neighbour',
      });
    },
  );
});

describe('a version whose last file is kept by S3 although no answer arrives', () => {
  it.each([
    ['the graph of this publisher', 'the graph', 's3://models/m/1'],
    ['the graph of another publisher', 'a new one', undefined],
  ])('is known by %s', async (_, kept, place) => {
    const files = { 'model.onnx': 'the graph' };
    const server = await startS3Server({
      onRequest: ({ operation, key }) => {
        if (operation === 'PutObject' && key === 'm/1/model.onnx') server.put(key, kept);
      },
    });
    onTestFinished(() => server.close());
    server.addFault({
      when: ({ operation, key }) => operation === 'PutObject' && key === 'm/1/model.onnx',
      times: 1,
      effect: { kind: 'cut' },
    });
    const store = openS3Store('s3://models', server.client);
    expect(await publishVersion(store, 'm', '1', await stage(files))).toBe(place);
    const puts = server.requests.filter(({ operation }) => operation === 'PutObject');
    expect(puts.map(({ key, status }) => [key, status])).toEqual([
      ['m/1/files.json', 200],
      ['m/1/model.onnx', 0],
      ['m/1/model.onnx', 412],
    ]);
  });
});
