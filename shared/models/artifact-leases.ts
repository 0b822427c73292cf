import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeLeftovers } from './leftovers.ts';

/** What keeps downloads from being removed while they are used, among all processes that share their folder. */
export interface ArtifactLeases {
  /** From now on the download stays as it is, until it was dropped as often as it was taken. */
  take(address: string): Promise<void>;
  drop(address: string): Promise<void>;
  /**
   * Removes a download that nobody uses.
   * @returns whether that happened
   */
  evict(address: string, remove: () => Promise<void>): Promise<boolean>;
}

interface Lease {
  readonly mark: string;
  readonly ready: Promise<void>;
  count: number;
}

/** A removal is a rename, mostly. */
const POLL_MS = 5;

/**
 * Each process writes down what it uses and what it is about to remove, as empty files `<pid>-<uuid>.<what>.<address>`.
 * Both sides write first and look at the other's marks then, so that at least one of them sees the other: who removes
 * gives way, who uses waits for the removal to end and looks at the files only after it. Marks of processes that died
 * count for nothing. A folder that cannot be written to has no marks, and nobody who could remove something.
 *
 * @param root the folder of downloads; a download is a folder in it that is called by its address
 */
export function createArtifactLeases(root: string): ArtifactLeases {
  const marks = join(root, 'marks');
  const leases = new Map<string, Lease>();

  const markOf = (what: 'use' | 'evict', address: string) =>
    join(marks, `${process.pid}-${randomUUID()}.${what}.${address}`);

  async function write(mark: string): Promise<void> {
    await mkdir(marks, { recursive: true, mode: 0o700 });
    await writeFile(mark, '', { flag: 'wx', mode: 0o600 });
  }

  async function isMarked(what: 'use' | 'evict', address: string): Promise<boolean> {
    await removeLeftovers(marks);
    const names = await readdir(marks).catch(() => []);
    return names.some((name) => name.endsWith(`.${what}.${address}`));
  }

  async function announce(mark: string, address: string): Promise<void> {
    await write(mark).catch(() => undefined);
    while (await isMarked('evict', address)) await sleep(POLL_MS);
    const now = new Date();
    await utimes(join(root, address), now, now).catch(() => undefined);
  }

  return {
    take: async (address) => {
      let lease = leases.get(address);
      if (!lease) {
        const mark = markOf('use', address);
        lease = { mark, ready: announce(mark, address), count: 0 };
        leases.set(address, lease);
      }
      lease.count += 1;
      await lease.ready;
    },
    drop: async (address) => {
      const lease = leases.get(address);
      if (!lease) return;
      lease.count -= 1;
      if (lease.count > 0) return;
      leases.delete(address);
      await rm(lease.mark, { force: true }).catch(() => undefined);
    },
    evict: async (address, remove) => {
      const mark = markOf('evict', address);
      try {
        await write(mark);
        if (leases.has(address) || (await isMarked('use', address))) return false;
        await remove();
        return true;
      } catch {
        // Another process was faster, or the system does not let go of a file.
        return false;
      } finally {
        await rm(mark, { force: true }).catch(() => undefined);
      }
    },
  };
}
