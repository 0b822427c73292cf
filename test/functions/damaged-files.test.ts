import { copyFile, lstat, mkdir, open, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createContext, createHost, requestUrl } from '../../functions/host.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { openS3Store } from '../../shared/stores/s3.ts';
import { makeFolder, manifest } from '../support/artifact-setup.ts';
import { PAGES, PROJECT } from '../support/project.ts';
import { startS3Server } from '../support/s3-server.ts';

const SETOSA = JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] });

/** A repository with one published model. */
async function publishIris(): Promise<string> {
  const root = await makeFolder();
  await mkdir(join(root, 'iris/1'), { recursive: true });
  const source = join(PROJECT, 'models/iris/2');
  const contents: Record<string, Buffer> = {};
  for (const name of ['model.json', 'model.onnx', 'reference.json']) {
    await copyFile(join(source, name), join(root, 'iris/1', name));
    contents[name] = await readFile(join(source, name));
  }
  await writeFile(join(root, 'iris/1/files.json'), manifest(contents));
  return root;
}

async function start(repository: string) {
  const server = await startS3Server({ folder: repository });
  onTestFinished(() => server.close());
  const cache = await makeFolder();
  const openHost = (url: string) => {
    const { app } = createHost({
      environment: {
        MODEL_CACHE_FOLDER: cache,
        LOG_LEVEL: 'silent',
        ADMIN_ROUTES: 'true',
        INTRA_OP_THREADS: '1',
      },
      modelRepository: url,
      pagesFolder: PAGES,
      stores: { file: openFilesystemStore, s3: (s3) => openS3Store(s3, server.client) },
      cpus: 1,
    });
    onTestFinished(() => app.close());
    return async (path: string, body = '{}') => {
      const headers = new Headers({ 'content-type': 'application/json' });
      const request = new BytesRequest(requestUrl(path), { method: 'POST', headers }, Buffer.from(body));
      const response = await app.fetch(request, createContext(headers, undefined));
      return { status: response.status, body: JSON.parse(await response.text()) };
    };
  };
  return { cache, openHost };
}

/** Flips one bit in the middle of a file, and keeps its size and times. */
async function damage(path: string): Promise<void> {
  const { atime, mtime, size } = await lstat(path);
  const handle = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, Math.floor(size / 2));
  await handle.write(Buffer.from([byte.readUInt8() ^ 1]), 0, 1, Math.floor(size / 2));
  await handle.close();
  await utimes(path, atime, mtime);
}

describe('a file that is damaged between two loads of its model', () => {
  it.each(['model.onnx', 'model.json', 'reference.json'])('is refused by its name: %s', async (file) => {
    const repository = await publishIris();
    const ask = (await start(repository)).openHost(repository);
    expect(await ask('/models/iris/predict', SETOSA)).toMatchObject({ body: { prediction: 'setosa' } });
    await damage(join(repository, 'iris/1', file));
    // A model in memory keeps answering.
    expect((await ask('/models/iris/predict', SETOSA)).status).toBe(200);
    expect((await ask('/v2/repository/models/iris/unload')).status).toBe(200);
    expect((await ask('/v2/repository/models/iris/load')).status).toBe(503);
    expect(await ask('/models/iris/predict', SETOSA)).toMatchObject({
      status: 503,
      body: {
        error: `Model "iris" version "1" cannot be loaded: its ${file} is damaged: its checksum differs from the published one.`,
        error_code: 'MODEL_UNAVAILABLE',
      },
    });
  });

  it('is downloaded again if it is a download', async () => {
    const { cache, openHost } = await start(await publishIris());
    const ask = openHost('s3://models');
    expect(await ask('/models/iris/predict', SETOSA)).toMatchObject({ body: { prediction: 'setosa' } });
    const paths = await readdir(cache, { recursive: true });
    const path = join(cache, paths.find((each) => each.endsWith('/model.onnx')) ?? '');
    await damage(path);
    const original = await readFile(join(PROJECT, 'models/iris/2/model.onnx'));
    expect((await readFile(path)).equals(original)).toBe(false);
    await ask('/v2/repository/models/iris/unload');
    expect((await ask('/v2/repository/models/iris/load')).status).toBe(200);
    expect(await ask('/models/iris/predict', SETOSA)).toMatchObject({ body: { prediction: 'setosa' } });
    expect((await readFile(path)).equals(original)).toBe(true);
  });
});

describe('a files.json that cannot be used', () => {
  const entry = { path: 'model.onnx', sizeBytes: 1, sha256: 'a'.repeat(64) };

  it.each([
    ['{', /^its files\.json is not valid JSON at line 1, column 2\.$/],
    ['{"files": []}', /^its files\.json is not valid \(files: .*\)\.$/],
    [
      JSON.stringify({ files: [{ ...entry, sizeBytes: 1e300 }] }),
      /^its files\.json is not valid \(.*sizeBytes.*\)\.$/,
    ],
    [
      JSON.stringify({ files: [{ ...entry, path: '../x' }] }),
      /^its files\.json is not valid \(.*without "\.\.".*\)\.$/,
    ],
    [
      JSON.stringify({ files: [{ ...entry, sha256: 'x' }] }),
      /^its files\.json is not valid \(.*64 lower-case hex.*\)\.$/,
    ],
    [JSON.stringify({ files: [entry] }), /^its model\.onnx has \d+ bytes; files\.json says 1\.$/],
    [
      JSON.stringify({ files: [{ ...entry, path: 'gone.txt' }] }),
      /^its gone\.txt is listed in files\.json but is missing\.$/,
    ],
  ])('is answered with what is wrong: %s', async (text, reason) => {
    const repository = await publishIris();
    await writeFile(join(repository, 'iris/1/files.json'), text);
    const { openHost } = await start(repository);
    for (const url of [repository, 's3://models']) {
      const { status, body } = await openHost(url)('/models/iris/predict', SETOSA);
      expect([status, body.error_code]).toEqual([503, 'MODEL_UNAVAILABLE']);
      expect(body.error.replace('Model "iris" version "1" cannot be loaded: ', '')).toMatch(reason);
    }
  });
});
