import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FolderLock, releaseLock, takeLock } from '../../shared/folder-lock.ts';
import { makeFolder } from '../support/temporary-folder.ts';

describe('a lock that is a folder', () => {
  const lockIn = (root: string, own: string): FolderLock => ({
    path: join(root, 'lock'),
    temporary: join(root, `made by ${own}`),
    own,
    hasEnded: (name) => name.startsWith('ended'),
  });

  it('is held by one of several concurrent callers, and leaves nothing', async () => {
    const root = await makeFolder({});
    const locks = Array.from({ length: 20 }, (_, index) => lockIn(root, `holder ${index}`));
    const holders = await Promise.all(locks.map(takeLock));
    const [taken, ...others] = locks.filter((_, index) => holders[index] === undefined);
    expect([taken !== undefined, others]).toEqual([true, []]);
    expect(new Set(holders.flatMap((holder) => holder?.name ?? []))).toEqual(new Set([taken?.own]));
    expect(await readdir(root)).toEqual(['lock']);
    if (taken) await releaseLock(taken);
    expect(await readdir(root)).toEqual([]);
  });

  it('is taken only from holders that have ended', async () => {
    const root = await makeFolder({ 'lock/ended 1': '', 'lock/ended 2': '' });
    const [first, second] = [lockIn(root, 'first'), lockIn(root, 'second')];
    expect(await takeLock(first)).toBeUndefined();
    expect(await takeLock(second)).toEqual({ name: 'first' });
    await releaseLock(second);
    expect(await readdir(join(root, 'lock'))).toEqual(['first']);
  });

  it.each([
    ['a file', (path: string) => writeFile(path, '')],
    ['a link to nothing', (path: string) => symlink('nowhere', path)],
    [
      'a link to a folder',
      async (path: string) => {
        await mkdir(`${path} target`);
        await writeFile(join(`${path} target`, 'ended'), '');
        await symlink(`${path} target`, path);
      },
    ],
  ])('is not taken where %s is', async (_, make) => {
    const root = await makeFolder({});
    const lock = lockIn(root, 'own');
    await make(lock.path);
    expect(await takeLock(lock)).toEqual({ name: '' });
  });
});
