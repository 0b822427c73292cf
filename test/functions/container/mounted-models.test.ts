import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { openMountedModels } from '../../../functions/container/mounted-models.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { makeFolder, writeFiles } from '../../support/temporary-folder.ts';

async function open(paths: readonly string[]) {
  const folder = await makeFolder(Object.fromEntries(paths.map((path) => [path, path])));
  return { folder, store: openMountedModels(openFilesystemStore(folder), 'iris') };
}

describe('mounted models', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    [
      'the files of one model',
      ['config.json', 'labels.txt', 'model.onnx'],
      ['iris/1/config.json', 'iris/1/labels.txt', 'iris/1/model.onnx'],
    ],
    ['a graph with another name', ['forest.onnx'], ['iris/1/forest.onnx']],
    [
      'a folder of Optimum',
      ['config.json', 'onnx/model_q4.onnx'],
      ['iris/1/config.json', 'iris/1/onnx/model_q4.onnx'],
    ],
    ['a folder of MLflow', ['MLmodel', 'data/net.bin'], ['iris/1/MLmodel', 'iris/1/data/net.bin']],
    [
      'one model with older ones below it',
      ['model.onnx', 'old/1/model.onnx'],
      ['iris/1/model.onnx', 'iris/1/old/1/model.onnx'],
    ],
    [
      'the versions of one model',
      ['1/model.onnx', '10/onnx/model.onnx', 'config.pbtxt'],
      ['iris/1/model.onnx', 'iris/10/onnx/model.onnx', 'iris/config.pbtxt'],
    ],
    [
      'folders of models without versions',
      ['a/labels.txt', 'a/model.onnx', 'b/onnx/model.onnx', 'c/2/model.onnx', 'notes.txt'],
      ['a/1/labels.txt', 'a/1/model.onnx', 'b/1/onnx/model.onnx', 'c/2/model.onnx', 'notes.txt'],
    ],
    [
      'a repository',
      ['a/1/model.onnx', 'a/deployment.json', 'a/draft.onnx', 'left.onnx'],
      ['a/1/model.onnx', 'a/deployment.json', 'a/draft.onnx', 'left.onnx'],
    ],
    ['no model', ['README.md', 'a/b.txt'], ['README.md', 'a/b.txt']],
  ])('are a repository if they are %s', async (_, stored, served) => {
    const { folder, store } = await open(stored);
    const files = await store.list('');
    expect(files.map(({ path }) => path)).toEqual(served);
    for (const [index, file] of files.entries()) {
      const original = stored[index] ?? '';
      expect(await text(await store.read(file, 0, file.sizeBytes))).toBe(original);
      expect(store.localPath?.(file.path)).toBe(join(folder, original));
      const [name, version, ...others] = file.path.split('/');
      if (others.length === 0) continue;
      const folderOf = `${name}/${version}`;
      expect(await store.list(folderOf)).toEqual(files.filter(({ path }) => path.startsWith(`${folderOf}/`)));
    }
  });

  it('have no files of models that they do not have', async () => {
    const { store } = await open(['model.onnx']);
    await store.list('');
    expect([await store.list('other/1'), await store.list('iris/2'), await store.list('ir')]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('are looked at again with each listing', async () => {
    const { folder, store } = await open(['a/1/model.onnx']);
    await store.list('');
    await rm(join(folder, 'a'), { recursive: true });
    await writeFiles(folder, { 'model.onnx': '' });
    expect((await store.list('')).map(({ path }) => path)).toEqual(['iris/1/model.onnx']);
  });

  it('are not changed, unless they are a repository', async () => {
    const bytes = Buffer.from('x');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const content = { sizeBytes: 1, sha256, open: () => Readable.from([bytes]) };
    const { store: single } = await open(['config.json', 'model.onnx']);
    await expect(single.write('releases/iris/1.json', content)).rejects.toMatchObject({ reason: 'denied' });
    const [first] = await single.list('');
    if (!first) throw new Error('there is no file');
    await expect(single.remove(first)).rejects.toMatchObject({ reason: 'denied' });
    expect(await single.load('iris/1/config.json')).toMatchObject({
      is: 'there',
      file: { path: 'iris/1/config.json' },
      content: Buffer.from('config.json'),
    });
    const { store: repository } = await open(['a/1/model.onnx']);
    const written = await repository.write('releases/a/1.json', content);
    expect(await repository.load('releases/a/1.json')).toMatchObject({ is: 'there', content: bytes });
    await repository.remove(written);
    expect(await repository.load('releases/a/1.json')).toMatchObject({ is: 'missing' });
  });
});
