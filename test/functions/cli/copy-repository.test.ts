import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CopyReport, copyRepository } from '../../../functions/cli/publish/copy-repository.ts';
import { copyVersion } from '../../../shared/models/copy-version.ts';
import { noteHeldBack, readHeldBack } from '../../../shared/releases/held-back.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { StoreError, type WritableStore } from '../../../shared/stores/model-store.ts';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { contentOf } from '../../contracts/model-store.ts';
import { openRepository } from '../../support/open-repository.ts';
import { temporaryFolder } from '../../support/run-command.ts';
import { startS3Server } from '../../support/s3-server.ts';

const VERSION = { 'model.onnx': 'the graph', 'a/weights.bin': 'weights', 'model.json': '{}' };

/** The files of a version with their `files.json`, written as a person would format it. */
function publish(path: string, files: Readonly<Record<string, string>> = VERSION): Record<string, string> {
  const listed = Object.entries(files).map(([name, content]) => ({
    path: name,
    sizeBytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
  const all = { ...files, 'files.json': JSON.stringify({ files: listed }, null, 3) };
  return Object.fromEntries(Object.entries(all).map(([name, content]) => [`${path}/${name}`, content]));
}

async function openFolder(files: Readonly<Record<string, string>> = {}): Promise<WritableStore> {
  const store = openFilesystemStore(join(await temporaryFolder(), 'models'));
  for (const [path, content] of Object.entries(files)) await store.write(path, contentOf(content));
  return store;
}

async function openBucket(): Promise<WritableStore> {
  const server = await startS3Server();
  onTestFinished(() => server.close());
  return openS3Store('s3://models/prod', server.client);
}

/** All files but the index, which each repository has for itself. */
async function contentsOf(store: WritableStore): Promise<Record<string, string>> {
  const files = (await store.list('')).filter(({ path }) => path !== 'index.json');
  const texts = await Promise.all(files.map(async (file) => text(await store.read(file, 0, file.sizeBytes))));
  return Object.fromEntries(files.map(({ path }, index) => [path, texts[index] ?? '']));
}

async function replace(store: WritableStore, path: string, content: string): Promise<void> {
  const found = (await store.list('')).find((file) => file.path === path);
  await store.write(path, contentOf(content), found?.etag);
}

async function remove(store: WritableStore, path: string): Promise<void> {
  const found = (await store.list('')).find((file) => file.path === path);
  if (!found) throw new Error(`${path} is not there`);
  await store.remove(found);
}

function short({ versions, written, failed }: CopyReport) {
  const done = Object.entries(versions).filter(([, paths]) => paths.length > 0);
  return { ...Object.fromEntries(done), written, failed: failed.map(({ path }) => path) };
}

const MODELS = {
  ...publish('iris/1'),
  ...publish('iris/10', { 'model.onnx': 'ten' }),
  ...publish('iris/2', { 'model.onnx': 'two' }),
  'iris/deployment.json': '{"aliases": {"champion": "2"}}',
  'iris/config.pbtxt': 'version_policy { all {} }',
  ...publish('rose/v1'),
};

describe.each([
  ['a folder', openFolder],
  ['S3', openBucket],
])('a mirror in %s', (_, openMirror: () => Promise<WritableStore>) => {
  it('gets all versions and what points to them, each byte the same, and once', async () => {
    const [from, to] = [await openFolder(MODELS), await openMirror()];
    const first = await copyRepository(from, to, { restores: false });
    expect(short(first)).toEqual({
      copied: ['iris/1', 'iris/2', 'iris/10', 'rose/v1'],
      written: ['iris/config.pbtxt', 'iris/deployment.json'],
      failed: [],
    });
    expect([first.files, first.sizeBytes]).toEqual([8, 42]);
    expect(await contentsOf(to)).toEqual(MODELS);
    expect(short(await copyRepository(from, to, { restores: false }))).toEqual({
      there: ['iris/1', 'iris/2', 'iris/10', 'rose/v1'],
      written: [],
      failed: [],
    });
  });

  it('gets the changes to each model, and says which versions they serve', async () => {
    const [from, to] = [await openFolder(MODELS), await openMirror()];
    const signed = { by: 'ada', why: '', action: 'promote' };
    for (const live of ['2', '1', '10', '2', '1', '10', '2', '1', '10', '1'])
      await createReleaseLog(from).change('iris', signed, ({ serving }) => ({
        serving: { ...serving, live },
      }));
    const { serving } = await createReleaseLog(from).read('iris');
    const failed = { version: '1', reason: 'model.onnx is not a graph', instance: 'a' };
    await noteHeldBack(from, { folder: 'iris', serving, ...failed });
    const first = await copyRepository(from, to, { restores: false });
    expect(first.written.slice(0, 12)).toEqual([
      ...Array.from({ length: 11 }, (__, revision) => `releases/iris/${revision}.json`),
      'releases/iris/held-back/10-1.json',
    ]);
    expect(await readHeldBack(to, 'iris')).toMatchObject([{ revision: 10, ...failed }]);
    expect(await contentsOf(to)).toEqual(await contentsOf(from));
    expect(await createReleaseLog(to).verify('iris')).toEqual([]);
    const repository = openRepository(to);
    expect(await repository.resolve('iris')).toEqual({ name: 'iris', version: '1' });
    expect(await repository.resolve('iris', 'champion')).toEqual({ name: 'iris', version: '2' });
  });

  it('follows what changes, and keeps what is removed', async () => {
    const [from, to] = [await openFolder(MODELS), await openMirror()];
    await copyRepository(from, to, { restores: false });
    await replace(from, 'iris/deployment.json', '{"aliases": {"champion": "10"}}');
    for (const file of ['model.onnx', 'a/weights.bin', 'model.json', 'files.json'])
      await remove(from, `rose/v1/${file}`);
    for (const [path, content] of Object.entries(publish('iris/11')))
      await from.write(path, contentOf(content));
    expect(short(await copyRepository(from, to, { restores: false }))).toEqual({
      copied: ['iris/11'],
      there: ['iris/1', 'iris/2', 'iris/10'],
      written: ['iris/deployment.json'],
      failed: [],
    });
    expect(await contentsOf(to)).toEqual({
      ...MODELS,
      ...publish('iris/11'),
      'iris/deployment.json': '{"aliases": {"champion": "10"}}',
    });
  });

  it('never replaces another version of the same name, and gets no damaged one', async () => {
    const [from, to] = [await openFolder(MODELS), await openMirror()];
    const other = publish('iris/1', { 'model.onnx': 'another' });
    for (const [path, content] of Object.entries(other)) await to.write(path, contentOf(content));
    await replace(from, 'rose/v1/a/weights.bin', 'wEIghts');
    await replace(from, 'iris/2/model.onnx', 'two bytes more');
    expect(short(await copyRepository(from, to, { restores: false }))).toEqual({
      copied: ['iris/10'],
      taken: ['iris/1'],
      written: ['iris/config.pbtxt', 'iris/deployment.json'],
      failed: ['iris/2', 'rose/v1'],
    });
    const {
      'iris/1/model.onnx': kept,
      'rose/v1/a/weights.bin': damaged,
      'rose/v1/model.onnx': graph,
    } = await contentsOf(to);
    expect([kept, damaged, graph]).toEqual(['another', undefined, undefined]);
  });

  it('gives back what a repository has lost, after any damage to it', async () => {
    const mirror = await openMirror();
    await copyRepository(await openFolder(MODELS), mirror, { restores: false });
    const lost = await openFolder(MODELS);
    await replace(lost, 'iris/1/a/weights.bin', 'wEIghts');
    await remove(lost, 'iris/1/model.onnx');
    await replace(lost, 'iris/2/model.onnx', 'tWo');
    await replace(lost, 'rose/v1/files.json', '{');
    for (const file of ['model.onnx', 'files.json']) await remove(lost, `iris/10/${file}`);
    await replace(lost, 'iris/deployment.json', '{"aliases": {"champion": "1"}}');
    await remove(lost, 'iris/config.pbtxt');
    expect(short(await copyRepository(mirror, lost, { restores: true }))).toEqual({
      copied: ['iris/1', 'iris/10'],
      mended: ['iris/2', 'rose/v1'],
      written: ['iris/config.pbtxt'],
      failed: [],
    });
    // What operators decided last stays.
    expect(await contentsOf(lost)).toEqual({
      ...MODELS,
      'iris/deployment.json': '{"aliases": {"champion": "1"}}',
    });
  });

  it('does not take another version for a damaged one, even if they share files', async () => {
    const mirror = await openMirror();
    await copyRepository(await openFolder(publish('iris/1')), mirror, { restores: false });
    const other = publish('iris/1', { ...VERSION, 'model.onnx': 'another' });
    const lost = await openFolder(other);
    expect(short(await copyRepository(mirror, lost, { restores: true }))).toMatchObject({
      taken: ['iris/1'],
    });
    expect(await contentsOf(lost)).toEqual(other);
  });

  it('is completed after each interruption', async () => {
    const from = await openFolder(publish('iris/1'));
    for (let writes = 0; writes < 4; writes++) {
      const to = await openMirror();
      let written = 0;
      const breaking: WritableStore = {
        ...to,
        write: async (path, content, replaced) => {
          if (written++ === writes) throw new StoreError('unreachable', 'the network is down');
          return await to.write(path, content, replaced);
        },
      };
      expect(short(await copyRepository(from, breaking, { restores: false })).failed).toEqual(['iris/1']);
      expect(short(await copyRepository(from, to, { restores: false }))).toMatchObject({
        copied: ['iris/1'],
      });
      expect(await contentsOf(to)).toEqual(publish('iris/1'));
    }
  });
});

it('copies a version without files.json, which then has one', async () => {
  const [from, to] = [await openFolder({ 'iris/1/model.onnx': 'the graph' }), await openFolder()];
  const copy = { name: 'iris', version: '1', mends: false };
  expect(await copyVersion(from, to, copy)).toEqual({ outcome: 'copied', files: 1, sizeBytes: 9 });
  const copied = await contentsOf(to);
  expect(JSON.parse(copied['iris/1/files.json'] ?? '')).toEqual({
    files: [
      {
        path: 'model.onnx',
        sizeBytes: 9,
        sha256: createHash('sha256').update('the graph').digest('hex'),
      },
    ],
  });
  expect(await copyVersion(from, to, copy)).toMatchObject({ outcome: 'there' });
  expect(await contentsOf(from)).toEqual({ 'iris/1/model.onnx': 'the graph' });
});
