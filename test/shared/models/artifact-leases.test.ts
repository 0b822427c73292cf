import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createArtifactLeases } from '../../../shared/models/artifact-leases.ts';
import { makeFolder } from '../temporary-folder.ts';

const ADDRESS = 'a'.repeat(64);

describe('a lease', () => {
  it('keeps a folder while it is looked at, whoever tries to remove it meanwhile', async () => {
    const root = await makeFolder({});
    const folder = join(root, ADDRESS);
    const exists = async () => (await stat(folder).catch(() => undefined)) !== undefined;
    const [user, remover] = [createArtifactLeases(root), createArtifactLeases(root)];
    const seen = { kept: 0, gone: 0, lost: 0 };
    let removed = 0;
    for (let round = 0; round < 150; round++) {
      await mkdir(folder, { recursive: true });
      const use = async () => {
        for (let turns = 0; turns < round % 7; turns++) await turn();
        await user.take(ADDRESS);
        const before = await exists();
        await turn();
        const after = await exists();
        seen[before ? (after ? 'kept' : 'lost') : 'gone'] += 1;
        await user.drop(ADDRESS);
      };
      const [isRemoved] = await Promise.all([
        remover.evict(ADDRESS, async () => await rm(folder, { recursive: true })),
        use(),
      ]);
      removed += Number(isRemoved);
    }
    expect(seen.lost).toBe(0);
    expect(seen.kept + seen.gone).toBe(150);
    expect(seen.gone).toBeLessThanOrEqual(removed);
    expect(await readdir(join(root, 'marks'))).toEqual([]);
  });

  it('is not in the way of a removal after it was dropped, nor another address', async () => {
    const root = await makeFolder({});
    const leases = createArtifactLeases(root);
    await leases.take(ADDRESS);
    const remove = async () => undefined;
    expect(await leases.evict(ADDRESS, remove)).toBe(false);
    expect(await leases.evict('b'.repeat(64), remove)).toBe(true);
    await leases.drop(ADDRESS);
    expect(await leases.evict(ADDRESS, remove)).toBe(true);
  });

  it('can be taken after a removal failed', async () => {
    const leases = createArtifactLeases(await makeFolder({}));
    expect(await leases.evict(ADDRESS, () => Promise.reject(new Error('busy')))).toBe(false);
    await leases.take(ADDRESS);
  });
});
