import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TEMPORARY_FOLDER } from '../../../shared/models/artifact-folder.ts';
import { bytes, isModel, KIBIBYTE, manifest, setup } from '../../support/artifact-setup.ts';

describe('fetchFolder with files.json', () => {
  const model = bytes(150 * KIBIBYTE);
  const labels = Buffer.from('a\nb');
  const published = {
    'iris/1/model.onnx': model,
    'iris/1/deep/labels.txt': labels,
    'iris/1/files.json': manifest({ 'model.onnx': model, 'deep/labels.txt': labels }),
  };

  it('downloads the files that it names and nothing else', async () => {
    const { server, open } = await setup({ ...published, 'iris/1/unlisted.bin': 'x' });
    const path = await open().fetchFolder('iris/1');
    expect((await readFile(join(path, 'model.onnx'))).equals(model)).toBe(true);
    expect((await readdir(path)).sort()).toEqual(['deep', 'model.onnx']);
    expect(server.requests.some(({ key }) => key === 'iris/1/unlisted.bin')).toBe(false);
  });

  it('shares the files of versions with the same content', async () => {
    const copies = Object.entries(published).map(([path, content]) => [
      path.replace('iris/1', 'rose/7'),
      content,
    ]);
    const { server, open } = await setup({ ...published, ...Object.fromEntries(copies) });
    const cache = open();
    expect(await cache.fetchFolder('rose/7')).toBe(await cache.fetchFolder('iris/1'));
    expect(server.requests.filter(isModel)).toHaveLength(2);
  });

  it('downloads a file again when its bytes were wrong once', async () => {
    const { server, open } = await setup(published);
    server.addFault({
      when: ({ range }) => range?.start === 102400,
      times: 1,
      effect: { kind: 'wrong-bytes' },
    });
    const path = await open().fetchFolder('iris/1');
    expect((await readFile(join(path, 'model.onnx'))).equals(model)).toBe(true);
    expect(server.requests.filter(isModel)).toHaveLength(4);
  });

  it('rejects with "corrupt" when the bytes are wrong twice, naming file, expected and got', async () => {
    const { server, folder, open } = await setup(published);
    server.put('iris/1/model.onnx', bytes(150 * KIBIBYTE, 2));
    const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
    const wrong = sha256(bytes(150 * KIBIBYTE, 2));
    await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({
      name: 'StoreError',
      reason: 'corrupt',
      message: `iris/1/model.onnx is damaged: its sha256 is ${wrong}; files.json says ${sha256(model)}.`,
    });
    expect(server.requests.filter(isModel)).toHaveLength(4);
    expect(await readdir(join(folder, TEMPORARY_FOLDER))).toEqual([]);
    expect((await readdir(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name))).toEqual([]);
  });

  it('rejects with "corrupt" when the listed size differs, before any download', async () => {
    const { server, open } = await setup({ ...published, 'iris/1/model.onnx': 'short' });
    await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({
      reason: 'corrupt',
      message: 'iris/1/model.onnx has 5 bytes; files.json says 153600.',
    });
    expect(server.requests.filter(isModel)).toEqual([]);
  });

  it('rejects with "missing" when a file it names is not there', async () => {
    const { server, open } = await setup(published);
    server.remove('iris/1/deep/labels.txt');
    await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({
      reason: 'missing',
      message: 'iris/1/deep/labels.txt is listed in files.json but is missing.',
    });
  });

  const entry = { path: 'model.onnx', sizeBytes: 1, sha256: 'a'.repeat(64) };
  it.each([
    ['an absolute path', { files: [{ ...entry, path: '/etc/passwd' }] }, 'files.0.path'],
    ['a path upwards', { files: [{ ...entry, path: 'a/../../b' }] }, 'files.0.path'],
    ['a backslash', { files: [{ ...entry, path: 'a\\b' }] }, 'files.0.path'],
    ['a drive', { files: [{ ...entry, path: 'C:/b' }] }, 'files.0.path'],
    ['a path twice', { files: [entry, entry] }, 'must have distinct paths'],
    ['a short sha256', { files: [{ ...entry, sha256: 'abc' }] }, 'files.0.sha256'],
    ['a size below zero', { files: [{ ...entry, sizeBytes: -1 }] }, 'files.0.sizeBytes'],
    ['an unknown field', { files: [{ ...entry, md5: 'x' }] }, 'md5'],
    ['no files', { files: [] }, 'files'],
    ['another shape', [entry], 'the file'],
  ])('rejects with "corrupt" when it has %s', async (_case, content, named) => {
    const { open } = await setup({ 'iris/1/model.onnx': 'x', 'iris/1/files.json': JSON.stringify(content) });
    await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({
      reason: 'corrupt',
      message: expect.stringMatching(new RegExp(`^iris/1/files.json is not valid .*${named}`)),
    });
  });

  it('rejects with "corrupt" when it is not JSON', async () => {
    const { open } = await setup({ 'iris/1/model.onnx': 'x', 'iris/1/files.json': '{"files":' });
    await expect(open().fetchFolder('iris/1')).rejects.toThrow('iris/1/files.json is not valid JSON.');
  });
});
