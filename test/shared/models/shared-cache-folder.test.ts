import { execFileSync } from 'node:child_process';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ownName } from '../../../shared/leftovers.ts';
import { TEMPORARY_FOLDER } from '../../../shared/models/artifact-folder.ts';
import { MARKS_FOLDER } from '../../../shared/models/artifact-leases.ts';
import { countGets, makeFolder, manifest, setup } from '../../support/artifact-setup.ts';

const model = Buffer.from('model');
const published = { 'iris/1/model.onnx': model, 'iris/1/files.json': manifest({ 'model.onnx': model }) };
const bare = { 'iris/1/model.onnx': 'model', 'iris/1/deep/er/labels.txt': 'a\nb' };

/** A name that was made by a process that has ended. */
const leftover = (ending = '') => ownName(ending).replace(`-${process.pid}-`, '-99999999-');
const mode = async (path: string) => ((await lstat(path)).mode & 0o7777).toString(8);

/** Gives a file to another user; only root can do that. */
async function giveAway(path: string): Promise<number> {
  const own = process.getuid?.() ?? 0;
  if (own === 0) {
    await chown(path, 65_534, 65_534);
    return 65_534;
  }
  const spy = vi.spyOn(process, 'getuid').mockReturnValue(own + 1);
  onTestFinished(() => spy.mockRestore());
  return own;
}

/** A folder of another user, which nothing may be removed from. */
async function makeVictim(): Promise<{ path: string; check: () => Promise<void> }> {
  const path = await makeFolder();
  const names = ['2024-holiday', '99999999-invoice.pdf', leftover(), leftover(`.use.${'a'.repeat(64)}`)];
  for (const name of names) {
    await mkdir(join(path, name));
    await writeFile(join(path, name, 'photo'), 'photo');
  }
  const check = async () => {
    expect((await readdir(path)).sort()).toEqual([...names].sort());
    for (const name of names) expect(await readFile(join(path, name, 'photo'), 'utf8')).toBe('photo');
  };
  return { path, check };
}

/** Replaces the bytes of a file, and keeps its size and its times. */
async function damage(path: string, content: string): Promise<void> {
  const { atime, mtime } = await lstat(path);
  await writeFile(path, content);
  await utimes(path, atime, mtime);
}

describe('a cache folder that another user could have prepared', () => {
  it.each([
    ['itself', ''],
    ['the folder of temporary files', TEMPORARY_FOLDER],
    ['the folder of marks', MARKS_FOLDER],
  ])('is refused where %s is a link, whose target stays as it is', async (_, inner) => {
    const { server, folder, open } = await setup(published);
    const victim = await makeVictim();
    if (inner !== '') await mkdir(folder, { mode: 0o700 });
    await symlink(victim.path, join(folder, inner));
    await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({
      name: 'StoreError',
      reason: 'unwritable',
      message:
        `The cache folder ${join(folder, inner)} is a link; expected a folder of user ${process.getuid?.()} that no ` +
        'other user can write to. Remove it, or set MODEL_CACHE_FOLDER to another folder.',
    });
    await victim.check();
    expect(server.requests.filter(({ key }) => key.endsWith('model.onnx'))).toEqual([]);
  });

  it('is refused where it belongs to another user, also with a whole model in it', async () => {
    const { folder, open } = await setup(published);
    await open().fetchFolder('iris/1');
    const owner = await giveAway(folder);
    await expect(open().fetchFolder('iris/1')).rejects.toThrow(
      `The cache folder ${folder} belongs to user ${owner}; expected a folder of user`,
    );
  });

  it.each([
    [0o770, 'can be written to by its group (mode 0770)'],
    [0o707, 'can be written to by all users (mode 0707)'],
    [0o1777, 'can be written to by all users (mode 1777)'],
  ])('is refused with the mode %o', async (bits, fault) => {
    const { folder, open } = await setup(published);
    const path = await open().fetchFolder('iris/1');
    await rm(path, { recursive: true });
    for (const inner of ['', TEMPORARY_FOLDER, MARKS_FOLDER]) {
      await chmod(join(folder, inner), bits);
      await expect(open().fetchFolder('iris/1')).rejects.toThrow(
        `The cache folder ${join(folder, inner)} ${fault}; expected a folder of user`,
      );
      await chmod(join(folder, inner), 0o700);
    }
    expect(await open().fetchFolder('iris/1')).toBe(path);
  });

  it.each(['link', 'foreign', 'group'])(
    'is refused where the folder of a version is a %s one',
    async (kind) => {
      const { folder, open } = await setup(published);
      const path = await open().fetchFolder('iris/1');
      if (kind === 'link') {
        await rename(path, join(folder, 'elsewhere'));
        await symlink(join(folder, 'elsewhere'), path);
      } else if (kind === 'foreign') await giveAway(path);
      else await chmod(path, 0o770);
      await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({ reason: 'unwritable' });
    },
  );

  it('is refused where a folder inside a version is a link, which files would be written through', async () => {
    const { folder, open } = await setup(bare);
    const path = await open().fetchFolder('iris/1');
    const victim = await makeVictim();
    await rm(join(path, 'deep'), { recursive: true });
    await symlink(victim.path, join(path, 'deep'));
    await expect(open().fetchFolder('iris/1')).rejects.toThrow(`${join(path, 'deep')} is a link`);
    await victim.check();
    expect(await readdir(join(folder, TEMPORARY_FOLDER))).toEqual([]);
  });

  it('is looked at again at each use, as the folder above it may be open to all', async () => {
    const { folder, open } = await setup(published);
    const cache = open();
    await cache.fetchFolder('iris/1');
    await rename(folder, `${folder}-old`);
    await symlink(`${folder}-old`, folder);
    await expect(cache.fetchFolder('iris/1')).rejects.toThrow(`${folder} is a link`);
  });
});

describe('the content of a cache folder', () => {
  it('is removed by exact names only, and links never followed', async () => {
    const { folder, open } = await setup(published);
    const victim = await makeVictim();
    const [temporary, marks] = [join(folder, TEMPORARY_FOLDER), join(folder, MARKS_FOLDER)];
    await mkdir(join(folder, 'tmp', '2023-taxes'), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, 'tmp', '2023-taxes', 'taxes.pdf'), 'taxes');
    const kept = [
      `${leftover()}.pdf`,
      `x${leftover()}`,
      leftover('.use.a'),
      '99999999-invoice.pdf',
      '2024-holiday',
    ];
    for (const inner of [temporary, marks]) {
      await mkdir(inner, { mode: 0o700 });
      for (const name of kept) await mkdir(join(inner, name));
      await symlink(victim.path, join(inner, leftover()));
      await mkdir(join(inner, leftover(), 'half', 'removed'), { recursive: true });
    }
    await open().fetchFolder('iris/1');
    expect((await readdir(temporary)).sort()).toEqual([...kept].sort());
    const ownMark = expect.stringMatching(/\.use\.[0-9a-f]{64}$/);
    expect((await readdir(marks)).sort()).toEqual(expect.arrayContaining(kept));
    expect((await readdir(marks)).filter((name) => !kept.includes(name))).toEqual([ownMark]);
    await victim.check();
    expect(await readFile(join(folder, 'tmp', '2023-taxes', 'taxes.pdf'), 'utf8')).toBe('taxes');
  });

  it('is compared with its checksums by each process, and again after a file was touched', async () => {
    const { server, open } = await setup(published);
    const caches = [open(), open()];
    const [first, second] = caches;
    const path = (await first?.fetchFolder('iris/1')) ?? '';
    await second?.fetchFolder('iris/1');
    for (const cache of caches) {
      await cache.fetchFolder('iris/1');
      const gets = countGets(server.requests);
      await cache.fetchFolder('iris/1');
      expect(countGets(server.requests)).toBe(gets);
      await damage(join(path, 'model.onnx'), 'molel');
      await cache.fetchFolder('iris/1');
      expect(await readFile(join(path, 'model.onnx'), 'utf8')).toBe('model');
      // Its files.json, and the model once more.
      expect(countGets(server.requests) - gets).toBe(2);
    }
  });

  it('is compared with the times of checked files where it has no checksums', async () => {
    const { server, open } = await setup(bare);
    const path = await open().fetchFolder('iris/1');
    const gets = countGets(server.requests);
    await open().fetchFolder('iris/1');
    expect(countGets(server.requests)).toBe(gets);
    await writeFile(join(path, 'model.onnx'), 'molel');
    await open().fetchFolder('iris/1');
    expect(await readFile(join(path, 'model.onnx'), 'utf8')).toBe('model');
    expect(countGets(server.requests)).toBe(gets + 1);
  });

  it('resumes a download that another process did not complete, where its files are right', async () => {
    const files = { a: Buffer.from('aaa'), b: Buffer.from('bbb') };
    const { server, open } = await setup({
      'iris/1/a': files.a,
      'iris/1/b': files.b,
      'iris/1/files.json': manifest(files),
    });
    const path = await open().fetchFolder('iris/1');
    await rename(path, `${path}.partial`);
    await writeFile(join(`${path}.partial`, 'a'), 'xxx');
    const gets = countGets(server.requests);
    await open().fetchFolder('iris/1');
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('aaa');
    expect(countGets(server.requests) - gets).toBe(2);
  });

  it.each(['link', 'fifo', 'foreign', 'group'])(
    'is downloaded again where a file is a %s one',
    async (kind) => {
      const { open } = await setup(published);
      const file = join(await open().fetchFolder('iris/1'), 'model.onnx');
      const elsewhere = join(await makeFolder(), 'victim');
      await writeFile(elsewhere, 'model');
      if (kind === 'link' || kind === 'fifo') await rm(file);
      if (kind === 'link') await symlink(elsewhere, file);
      else if (kind === 'fifo') execFileSync('mkfifo', [file]);
      else if (kind === 'foreign') await chown(file, 65_534, 65_534).catch(() => chmod(file, 0o666));
      else await chmod(file, 0o660);
      await open().fetchFolder('iris/1');
      const facts = await lstat(file);
      expect([facts.isFile(), facts.uid, facts.mode & 0o777]).toEqual([true, process.getuid?.(), 0o600]);
      expect(await readFile(elsewhere, 'utf8')).toBe('model');
    },
  );

  it('is never written through a hard link to a file of somebody else', async () => {
    const { open } = await setup(published);
    const file = join(await open().fetchFolder('iris/1'), 'model.onnx');
    const elsewhere = join(await makeFolder(), 'victim');
    await writeFile(elsewhere, 'taxes');
    await rm(file);
    await link(elsewhere, file);
    await open().fetchFolder('iris/1');
    expect([await readFile(file, 'utf8'), await readFile(elsewhere, 'utf8')]).toEqual(['model', 'taxes']);
  });
});

describe('a cache folder that this user makes', () => {
  it.each([0o777, 0o1777, 0o2775, 0o755])(
    'is its own below a folder of the mode %o, with any umask',
    async (bits) => {
      const umask = process.umask(0);
      onTestFinished(() => void process.umask(umask));
      const parent = await makeFolder();
      await chmod(parent, bits);
      const folder = join(parent, 'not', 'there');
      const { open } = await setup(bare, { folder });
      const path = await open().fetchFolder('iris/1');
      const inner = ['', TEMPORARY_FOLDER, MARKS_FOLDER].map((name) => join(folder, name));
      const folders = [...inner, path, join(path, 'deep'), join(path, 'deep', 'er')];
      for (const each of folders) expect(await mode(each), each).toMatch(/^2?700$/);
      expect(await mode(join(path, 'model.onnx'))).toBe('600');
      await open().fetchFolder('iris/1');
    },
  );

  it('is made once by several at the same time', async () => {
    const { open } = await setup(bare);
    const paths = await Promise.all([1, 2, 3, 4, 5, 6].map(() => open().fetchFolder('iris/1')));
    expect(new Set(paths).size).toBe(1);
  });

  it('serves what it has where nothing can be written', async () => {
    const { server, folder, open } = await setup(bare);
    const path = await open().fetchFolder('iris/1');
    const gets = countGets(server.requests);
    const folders = [folder, join(folder, TEMPORARY_FOLDER), join(folder, MARKS_FOLDER), path];
    for (const each of folders) await chmod(each, 0o500);
    onTestFinished(async () => {
      for (const each of folders) await chmod(each, 0o700);
    });
    expect(await open().fetchFolder('iris/1')).toBe(path);
    expect(countGets(server.requests)).toBe(gets);
  });
});
