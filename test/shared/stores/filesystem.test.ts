import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ownName } from '../../../shared/leftovers.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { contentOf, describeModelStore } from '../../contracts/model-store.ts';

const COUNT_UP = fileURLToPath(new URL('../../support/count-up.ts', import.meta.url));

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

/** A folder with a repository in its folder `models`. */
async function makeFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-store-'));
  folders.push(folder);
  const root = join(folder, 'models');
  await mkdir(root);
  for (const [path, content] of Object.entries(files)) await put(root, path, content);
  return root;
}

async function put(root: string, path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

describeModelStore('a folder', async (files) => {
  const root = await makeFolder(files ?? {});
  return {
    store: openFilesystemStore(files ? root : join(root, 'not-there')),
    write: (path, content) => put(root, path, content),
    remove: (path) => rm(join(root, path)),
    close: async () => undefined,
  };
});

describe('openFilesystemStore', () => {
  it('takes a path or a file:// URL', async () => {
    const root = await makeFolder({ 'a b/1/model.onnx': 'x' });
    for (const folder of [root, `${root}/`, pathToFileURL(root).href]) {
      const store = openFilesystemStore(folder);
      expect(store.url).toBe(pathToFileURL(root).href);
      expect(store.localPath?.('a b/1')).toBe(join(root, 'a b/1'));
      expect((await store.list('a b/1')).map(({ path }) => path)).toEqual(['a b/1/model.onnx']);
    }
  });

  it('names the folder that is missing, or that is a file', async () => {
    const root = await makeFolder({ file: 'x' });
    const missing = join(root, 'not-there');
    await expect(openFilesystemStore(missing).list('')).rejects.toMatchObject({
      reason: 'missing',
      message: `${missing} does not exist.`,
    });
    await expect(openFilesystemStore(join(root, 'file')).list('')).rejects.toMatchObject({
      reason: 'missing',
      message: `The model repository ${join(root, 'file')} is not a folder.`,
    });
  });

  it('refuses paths that leave the repository', async () => {
    const store = openFilesystemStore(await makeFolder({ a: 'x' }));
    const refusal = { name: 'StoreError', reason: 'denied' };
    await expect(store.list('..')).rejects.toMatchObject(refusal);
    await expect(store.list('a/../../..')).rejects.toMatchObject(refusal);
    await expect(store.list('/etc')).rejects.toMatchObject(refusal);
    await expect(store.read({ path: '../x', sizeBytes: 1, etag: '' }, 0, 1)).rejects.toMatchObject(refusal);
    expect(() => store.localPath?.('../models-of-others')).toThrow('is outside the model repository');
  });

  it('follows links to files inside the repository only', async () => {
    const root = await makeFolder({ 'blobs/1': 'weights', '.data/x': 'hidden' });
    await writeFile(join(root, '../secret'), 'secret');
    await mkdir(join(root, 'iris'));
    await symlink('../blobs/1', join(root, 'iris/model.onnx'));
    await symlink('../.data/x', join(root, 'iris/mounted'));
    await symlink('../../secret', join(root, 'iris/secret'));
    await symlink('nowhere', join(root, 'iris/broken'));
    await symlink('loop', join(root, 'iris/loop'));
    await symlink('../..', join(root, 'iris/up'));
    await symlink('blobs', join(root, 'linked'));
    const store = openFilesystemStore(root);
    const files = await store.list('');
    expect(files.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ['blobs/1', 7],
      ['iris/model.onnx', 7],
      ['iris/mounted', 6],
    ]);
    expect(await store.list('linked')).toEqual([]);
    expect(await store.list('iris/up')).toEqual([]);
    const secret = { path: 'iris/secret', sizeBytes: 6, etag: '' };
    await expect(store.read(secret, 0, 6)).rejects.toMatchObject({ reason: 'denied' });
  });

  it('says which files it skips, and why', async () => {
    const root = await makeFolder({
      'iris/1/model.onnx': 'x',
      'iris/1/reference.json/a': 'x',
      '.git/a': 'x',
    });
    await writeFile(join(root, '../secret'), 'secret');
    await symlink('../../../secret', join(root, 'iris/1/model.json'));
    await symlink('nowhere', join(root, 'iris/1/labels.txt'));
    await symlink('loop', join(root, 'iris/1/loop'));
    await symlink('/dev/null', join(root, 'iris/1/classes.txt'));
    await symlink('../.git/a', join(root, 'iris/inside'));
    await symlink('1', join(root, 'iris/latest'));
    spawnSync('mkfifo', [join(root, 'iris/1/files.json')]);
    const server = createServer().listen(join(root, 'iris/1/socket'));
    await once(server, 'listening');
    const passedOver: Record<string, string> = {};
    const files = await openFilesystemStore(root).list('', (path, problem) => (passedOver[path] = problem));
    server.close();
    expect(files.map(({ path }) => path)).toEqual([
      'iris/1/model.onnx',
      'iris/1/reference.json/a',
      'iris/inside',
    ]);
    expect(passedOver).toEqual({
      'iris/1/classes.txt': 'is a link that leads outside the folder, to "/dev/null"',
      'iris/1/files.json': 'is a pipe, not a file',
      'iris/1/labels.txt': 'is a link that cannot be followed (ENOENT)',
      'iris/1/loop': 'is a link that cannot be followed (ELOOP)',
      'iris/1/model.json': `is a link that leads outside the folder, to ${JSON.stringify(await realpath(join(root, '../secret')))}`,
      'iris/1/reference.json': 'is a folder, not a file',
      'iris/1/socket': 'is a socket, not a file',
      'iris/latest': 'is a link to a folder',
    });
  });

  it('lists the rest where a link leads to a file that may not be read', async () => {
    const root = await makeFolder({ 'iris/1/model.onnx': 'x' });
    await mkdir(join(root, '../closed/deep'), { recursive: true });
    await symlink('../../../closed/deep', join(root, 'iris/1/model.json'));
    await chmod(join(root, '../closed'), 0o000);
    await chmod(join(root, '..'), 0o755);
    await withoutPrivileges(async () => {
      const files = await openFilesystemStore(root).list('');
      expect(files.map(({ path }) => path)).toEqual(['iris/1/model.onnx']);
    });
    await chmod(join(root, '../closed'), 0o700);
  });

  it('works below a root that is itself a link', async () => {
    const root = await makeFolder({ 'iris/1/model.onnx': 'x' });
    const link = join(root, '../link');
    await symlink(root, link);
    const store = openFilesystemStore(link);
    expect((await store.list('iris/1')).map(({ path }) => path)).toEqual(['iris/1/model.onnx']);
    expect(store.localPath?.('iris/1')).toBe(join(link, 'iris/1'));
  });

  it('rejects with "denied" for files that the process may not read', async () => {
    const root = await makeFolder({ 'closed/a': 'x', b: 'y' });
    const store = openFilesystemStore(root);
    const file = (await store.list('')).find(({ path }) => path === 'b');
    expect(file?.sizeBytes).toBe(1);
    if (!file) return;
    await chmod(join(root, 'closed'), 0o000);
    await chmod(join(root, 'b'), 0o000);
    await withoutPrivileges(async () => {
      await expect(store.list('')).rejects.toMatchObject({ reason: 'denied' });
      await expect(store.read(file, 0, 1)).rejects.toMatchObject({ reason: 'denied' });
    });
    await chmod(join(root, 'closed'), 0o700);
  });
});

describe('a write to a folder', () => {
  it('leaves nothing next to the file, whether it wins or loses', async () => {
    const root = await makeFolder({ 'iris/a': 'one' });
    const store = openFilesystemStore(root);
    await store.write('iris/b', contentOf('two'));
    await expect(store.write('iris/a', contentOf('two'))).rejects.toMatchObject({ reason: 'changed' });
    const wrong = { ...contentOf('two'), sha256: contentOf('six').sha256 };
    await expect(store.write('iris/c', wrong)).rejects.toMatchObject({ reason: 'corrupt' });
    await expect(store.write('iris/c', { ...wrong, sizeBytes: 9 })).rejects.toMatchObject({
      reason: 'corrupt',
    });
    expect((await readdir(join(root, 'iris'))).sort()).toEqual(['a', 'b']);
  });

  it('makes the repository if it does not exist', async () => {
    const root = join(await makeFolder({}), 'new');
    const store = openFilesystemStore(root);
    await store.write('iris/1/model.json', contentOf('{}'));
    expect((await store.list('')).map(({ path }) => path)).toEqual(['iris/1/model.json']);
  });

  it('counts right in several processes at once, and while others are killed', async () => {
    const root = await makeFolder({ count: '0' });
    const start = (times: number) =>
      spawn(process.execPath, [COUNT_UP, root, String(times)], { stdio: ['ignore', 'ignore', 'inherit'] });
    const first = [start(30), start(30), start(30)].map(async (child) => (await once(child, 'exit'))[0]);
    expect(await Promise.all(first)).toEqual([0, 0, 0]);
    expect(await readFile(join(root, 'count'), 'utf8')).toBe('90');
    const killed = [start(1_000_000), start(1_000_000)];
    const counting = [start(50), start(50), start(50)];
    const codes = counting.map(async (child) => (await once(child, 'exit'))[0]);
    const count = async () => Number(await readFile(join(root, 'count'), 'utf8'));
    await vi.waitFor(async () => expect(await count()).toBeGreaterThan(110), { timeout: 20_000 });
    const gone = killed.map((child) => once(child, 'exit'));
    for (const child of killed) child.kill('SIGKILL');
    await Promise.all(gone);
    const atLeast = await count();
    expect(await Promise.all(codes)).toEqual([0, 0, 0]);
    expect(await count()).toBeGreaterThanOrEqual(Math.max(240, atLeast));
    // The next writer removes what the killed ones left.
    const store = openFilesystemStore(root);
    const [file] = await store.list('');
    await store.write('count', contentOf('done'), file?.etag);
    expect((await readdir(root)).filter((name) => name !== 'count')).toEqual([]);
  }, 60_000);

  it('does not wait for a lock whose process has ended', async () => {
    const root = await makeFolder({ a: 'one' });
    const { pid } = spawnSync(process.execPath, ['--version']);
    await mkdir(join(root, '.a.ternion-lock'));
    await writeFile(join(root, '.a.ternion-lock', ownName().replace(`-${process.pid}-`, `-${pid}-`)), '');
    const store = openFilesystemStore(root);
    const [file] = await store.list('');
    await store.write('a', contentOf('two'), file?.etag);
    expect(await readdir(root)).toEqual(['a']);
  });

  it('gives each content another etag, also of the same size in the same tick', async () => {
    const store = openFilesystemStore(await makeFolder({}));
    let { etag } = await store.write('a', contentOf('0'));
    const etags = new Set([etag]);
    for (let index = 1; index < 10; index++) {
      ({ etag } = await store.write('a', contentOf(String(index)), etag));
      etags.add(etag);
    }
    expect(etags.size).toBe(10);
  });

  it('does not go through links to folders, nor into files', async () => {
    const root = await makeFolder({ 'iris/1/a': 'x', file: 'x' });
    await mkdir(join(root, '../outside'));
    await symlink('../outside', join(root, 'out'));
    await symlink('iris', join(root, 'in'));
    const store = openFilesystemStore(root);
    for (const path of ['out/a', 'in/b', 'file/a']) {
      await expect(store.write(path, contentOf('two')), path).rejects.toMatchObject({ reason: 'denied' });
    }
    expect(await readdir(join(root, '../outside'))).toEqual([]);
    await expect(store.write('iris/1', contentOf('two'))).rejects.toMatchObject({ reason: 'changed' });
  });

  it('takes the lock of a process that was killed while it removed its name', async () => {
    const root = await makeFolder({});
    await mkdir(join(root, 'iris/.a.ternion-lock'), { recursive: true });
    await openFilesystemStore(root).write('iris/a', contentOf('two'));
    expect(await readdir(join(root, 'iris'))).toEqual(['a']);
  });

  it('fails where no folder can be made', async () => {
    const root = await makeFolder({ 'iris/a': 'x' });
    await symlink('nowhere', join(root, 'iris/.ternion-tmp'));
    await expect(openFilesystemStore(root).write('iris/b', contentOf('two'))).rejects.toMatchObject({
      reason: 'denied',
      message: `${join(root, 'iris/b')} cannot be written (ENOENT).`,
    });
    // Its parent exists, but the system says ENOENT.
    await expect(openFilesystemStore('/proc/ternion').write('a/b/c', contentOf('two'))).rejects.toMatchObject(
      {
        reason: 'denied',
        message: '/proc/ternion/a/b/c cannot be written (ENOENT).',
      },
    );
  });

  it('names the file that may not be written', async () => {
    const root = await makeFolder({ 'closed/a': 'x' });
    const store = openFilesystemStore(root);
    await chmod(join(root, 'closed'), 0o555);
    await withoutPrivileges(async () => {
      await expect(store.write('closed/b', contentOf('two'))).rejects.toMatchObject({
        reason: 'denied',
        message: expect.stringMatching(/closed\/b cannot be written by this process: give it write access/),
      });
    });
    await chmod(join(root, 'closed'), 0o755);
  });
});

const NOBODY = 65534;

/** root may read everything: a test process that is root drops its rights for a moment. */
async function withoutPrivileges(action: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    await action();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
