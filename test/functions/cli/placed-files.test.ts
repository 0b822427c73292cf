import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { PROJECT } from '../../support/project.ts';
import { startCommand, temporaryFolder } from '../../support/run-command.ts';

const ROW = '[5.1, 3.5, 1.4, 0.2]';
/** For a graph without a model.json that says what it means. */
const TENSORS = `{"inputs": {"features": [${ROW}]}}`;
const IRIS = join(PROJECT, 'models/iris/2');

/** Everything below a folder except empty folders. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

/** A model in the cache of Hugging Face, where a snapshot is a folder of links. */
async function linkIris(folder: string): Promise<string> {
  const [blobs, path] = [join(folder, 'models--iris/blobs'), join(folder, 'models--iris/snapshots/0a1b')];
  await cp(IRIS, blobs, { recursive: true });
  await mkdir(path, { recursive: true });
  for (const name of await readdir(IRIS)) await symlink(`../../blobs/${name}`, join(path, name));
  return path;
}

describe('a model file of any name', () => {
  it.each([
    ['the file', 'inspect'],
    ['the file', 'predict'],
    ['a link to it', 'inspect'],
    ['a link to it', 'predict'],
  ])('is used where it is: %s, %s', async (kind, command) => {
    const folder = await temporaryFolder();
    await cp(join(IRIS, 'model.onnx'), join(folder, 'export.onnx'));
    await symlink('export.onnx', join(folder, 'link.onnx'));
    // A command that placed or marked something would fail.
    await writeFile(join(folder, 'file'), '');
    const path = join(folder, kind === 'the file' ? 'export.onnx' : 'link.onnx');
    const { outcome } = startCommand([command, path, ...(command === 'predict' ? [TENSORS] : [])], '', {
      MODEL_CACHE_FOLDER: join(folder, 'file'),
    });
    expect(await outcome).toMatchObject({ code: 0, stderr: '' });
  });

  it('has its own name in the error if it is damaged', async () => {
    const folder = await temporaryFolder();
    const model = await readFile(join(IRIS, 'model.onnx'));
    await writeFile(join(folder, 'half.onnx'), model.subarray(0, model.length / 2));
    await writeFile(join(folder, 'file'), '');
    const { outcome } = startCommand(['inspect', join(folder, 'half.onnx')], '', {
      MODEL_CACHE_FOLDER: join(folder, 'file'),
    });
    expect(await outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('its half.onnx is') });
  });
});

describe('a model that cannot be used where it is', () => {
  it.each([
    ['a file of another name', 'inspect'],
    ['a file of another name', 'predict'],
    ['a file of another name', 'add'],
    ['a folder of links', 'inspect'],
    ['a folder of links', 'predict'],
    ['a folder of links', 'add'],
  ])('leaves nothing in the cache: %s, %s', async (kind, command) => {
    const [folder, cache, repository] = [
      await temporaryFolder(),
      await temporaryFolder(),
      await temporaryFolder(),
    ];
    const path = kind === 'a folder of links' ? await linkIris(folder) : join(folder, 'export.onnx');
    if (kind !== 'a folder of links') await cp(join(IRIS, 'model.onnx'), path);
    const rest =
      {
        inspect: [],
        predict: [kind === 'a folder of links' ? ROW : TENSORS],
        add: ['--name', 'copy', '--repository', repository],
      }[command] ?? [];
    for (const seconds of [1, 2]) {
      if (kind !== 'a folder of links') await utimes(path, seconds, seconds);
      const { outcome } = startCommand([command, path, ...rest], '', { MODEL_CACHE_FOLDER: cache });
      expect(await outcome).toMatchObject({ code: 0, stderr: '' });
      expect(await filesBelow(cache)).toEqual([]);
    }
    const model = await readFile(kind === 'a folder of links' ? join(path, 'model.onnx') : path);
    expect(model.equals(await readFile(join(IRIS, 'model.onnx')))).toBe(true);
  });

  it('leaves nothing if it cannot be loaded', async () => {
    const [folder, cache] = [await temporaryFolder(), await temporaryFolder()];
    const model = await readFile(join(IRIS, 'model.onnx'));
    await writeFile(join(folder, 'half.onnx'), model.subarray(0, model.length / 2));
    for (const command of ['inspect', 'predict']) {
      const rest = command === 'predict' ? [TENSORS] : [];
      const { outcome } = startCommand([command, join(folder, 'half.onnx'), ...rest], '', {
        MODEL_CACHE_FOLDER: cache,
      });
      expect((await outcome).code).toBe(1);
      expect(await filesBelow(cache)).toEqual([]);
    }
  });

  it('leaves something only if it is killed, until the next run', async () => {
    const [folder, cache] = [await temporaryFolder(), await temporaryFolder()];
    const path = await linkIris(folder);
    const placed = (await readdir(IRIS)).sort();
    const environment = { MODEL_CACHE_FOLDER: cache };
    const [head = '', ...rows] = (await readFile(join(PROJECT, 'test/fixtures/flowers.csv'), 'utf8'))
      .trim()
      .split('\n');
    // Enough rows that the command is still running when it is killed.
    const flowers = join(folder, 'flowers.csv');
    await writeFile(flowers, `${head}\n${`${rows.join('\n')}\n`.repeat(100_000)}`);
    const killed = startCommand(['batch', path, flowers, join(folder, 'out.csv')], '', environment);
    await vi.waitFor(async () => expect([...(await filesBelow(cache))].sort()).toEqual(placed), {
      timeout: 20_000,
      interval: 1,
    });
    killed.process.kill('SIGKILL');
    await once(killed.process, 'close');
    expect([...(await filesBelow(cache))].sort()).toEqual(placed);
    await startCommand(['predict', path, ROW], '', environment).outcome;
    expect(await filesBelow(cache)).toEqual([]);
  });

  it('says which variable helps if no files can be placed', async () => {
    const folder = await temporaryFolder();
    const path = await linkIris(folder);
    await writeFile(join(folder, 'file'), '');
    const { outcome } = startCommand(['inspect', path], '', {
      MODEL_CACHE_FOLDER: join(folder, 'file'),
    });
    expect(await outcome).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /Cannot write model files to .* \(ENOTDIR\): set MODEL_CACHE_FOLDER to a writable folder\.\n$/,
      ),
    });
  });
});
