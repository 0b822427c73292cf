import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolder as makeFolders } from '../../shared/make-folder.ts';
import { makeOwnFolder } from '../../shared/models/own-folder.ts';
import { makeFolder } from '../support/temporary-folder.ts';

describe('makeFolder', () => {
  it('makes a folder and its parents, unless they exist', async () => {
    const root = await makeFolder({});
    await Promise.all([1, 2, 3].map(() => makeFolders(join(root, 'a/b/c'), 0o700)));
    await makeFolders(join(root, 'a/b'));
    expect((await stat(join(root, 'a/b'))).mode & 0o777).toBe(0o700);
    await mkdir(join(root, 'real'));
    await symlink('real', join(root, 'link'));
    await makeFolders(join(root, 'link/d'));
    expect((await stat(join(root, 'real/d'))).isDirectory()).toBe(true);
  });

  it.each([
    ['/proc/ternion/a/b', 'ENOENT'],
    ['/proc/self/fd/ternion', 'ENOENT'],
    ['/dev/null/a', 'ENOTDIR'],
    ['file', 'EEXIST'],
    ['file/a', 'ENOTDIR'],
    ['dangling/a', 'EEXIST'],
    ['loop/a', 'ELOOP'],
    [`${'a'.repeat(300)}/b`, 'ENAMETOOLONG'],
  ])('fails with the error of the system: %s', async (path, code) => {
    const root = await makeFolder({});
    await writeFile(join(root, 'file'), '');
    await symlink('nowhere', join(root, 'dangling'));
    await symlink('loop', join(root, 'loop'));
    const full = path.startsWith('/') ? path : join(root, path);
    await expect(makeFolders(full)).rejects.toMatchObject({ code });
  });
});

describe('makeOwnFolder', () => {
  it('fails where the system cannot make one', async () => {
    await expect(makeOwnFolder('/proc/ternion/a')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
