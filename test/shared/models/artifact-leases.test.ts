import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ownName, RENEW_MS } from '../../../shared/leftovers.ts';
import { createArtifactLeases, MARKS_FOLDER } from '../../../shared/models/artifact-leases.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const USE_DOWNLOADS = fileURLToPath(new URL('../../support/use-downloads.ts', import.meta.url));
const ADDRESS = 'a'.repeat(64);

describe('a lease', () => {
  it('keeps a folder that is in use, though others try to remove it', async () => {
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
    expect(await readdir(join(root, MARKS_FOLDER))).toEqual([]);
  });

  it('keeps a download in several processes, while another removes all unused ones', async () => {
    const repository = await makeFolder({ 'iris/1/model.onnx': 'model', 'iris/1/deep/labels.txt': 'a\nb' });
    const cache = join(await makeFolder({}), 'cache');
    const run = async (role: string, amount: number) => {
      const args = [USE_DOWNLOADS, role, repository, cache, String(amount)];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const [code] = await once(child, 'close');
      return { code, done: Number(output) };
    };
    const [first, second, ...removers] = await Promise.all([
      run('use', 100),
      run('use', 100),
      run('remove', 2500),
      run('remove', 2500),
    ]);
    expect([first, second]).toEqual([
      { code: 0, done: 100 },
      { code: 0, done: 100 },
    ]);
    expect(removers.map(({ code }) => code)).toEqual([0, 0]);
    expect(removers.reduce((sum, { done }) => sum + done, 0)).toBeGreaterThan(0);
    expect(await readdir(join(cache, MARKS_FOLDER))).toEqual([]);
  }, 60_000);

  it('does not block a removal after it was dropped, nor the removal of another folder', async () => {
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

  it('of another host counts while it is renewed, independently of the processes here', async () => {
    const root = await makeFolder({});
    const leases = createArtifactLeases(root);
    const remove = async () => undefined;
    await leases.evict(ADDRESS, remove);
    const mark = ownName(`.use.${ADDRESS}`).replace(/^.{16}-\d+/, `${'0'.repeat(16)}-99999999`);
    await writeFile(join(root, MARKS_FOLDER, mark), '');
    expect(await leases.evict(ADDRESS, remove)).toBe(false);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 16 * RENEW_MS });
    onTestFinished(() => void vi.useRealTimers());
    expect(await leases.evict(ADDRESS, remove)).toBe(true);
  });

  it('is renewed as long as it is held', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const root = await makeFolder({});
    const leases = createArtifactLeases(root);
    await leases.take(ADDRESS);
    const [name = ''] = await readdir(join(root, MARKS_FOLDER));
    const mark = join(root, MARKS_FOLDER, name);
    const now = Date.now();
    const longAgo = new Date(now - 16 * RENEW_MS);
    await utimes(mark, longAgo, longAgo);
    vi.advanceTimersByTime(RENEW_MS);
    await vi.waitFor(async () => expect((await stat(mark)).mtimeMs).toBeGreaterThan(now - RENEW_MS));
    await leases.drop(ADDRESS);
    expect(vi.getTimerCount()).toBe(0);
  });
});
