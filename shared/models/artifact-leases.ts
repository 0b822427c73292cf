import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownName, RENEW_MS, removeLeftovers } from '../leftovers.ts';
import { StoreError } from '../stores/model-store.ts';
import { makeOwnFolder } from './own-folder.ts';

/** Keeps downloads from being removed while any of the processes that share their folder uses them. */
export interface ArtifactLeases {
  /** The download is not removed until it has been dropped as often as it was taken. */
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

/** Below the folder of downloads: who uses what. */
export const MARKS_FOLDER = '.ternion-marks';

/** Time between two looks for the end of a removal, which is usually just a rename. */
const POLL_MS = 5;
/** How long to wait for a removal by another process. If it takes longer, that process died on another host. */
const LONGEST_REMOVAL_MS = 30_000;

/**
 * Each process writes down what it uses and what it is about to remove, as empty files `<own name>.<what>.<address>`.
 * Both sides first write their own mark and then look for marks of others, so at least one of them sees the other. A
 * process that wants to remove gives way. A process that wants to use waits until the removal has ended, and looks at
 * the files only then. Marks of dead processes are ignored. A folder that cannot be written to has no marks, and no
 * process can remove anything from it.
 *
 * @param root the folder of downloads; each download is a folder in it, named by its address
 */
export function createArtifactLeases(root: string): ArtifactLeases {
  const marks = join(root, MARKS_FOLDER);
  const leases = new Map<string, Lease>();
  let renewal: NodeJS.Timeout | undefined;

  const markOf = (what: 'use' | 'evict', address: string) => join(marks, ownName(`.${what}.${address}`));

  async function write(mark: string): Promise<void> {
    await makeOwnFolder(root);
    await makeOwnFolder(marks);
    await writeFile(mark, '', { flag: 'wx', mode: 0o600 });
  }

  /** Other hosts cannot see whether this process runs. */
  function renew(): void {
    const now = new Date();
    for (const { mark } of leases.values()) utimes(mark, now, now).catch(() => undefined);
  }

  async function isMarked(what: 'use' | 'evict', address: string): Promise<boolean> {
    await removeLeftovers(marks);
    const names = await readdir(marks).catch(() => []);
    return names.some((name) => name.endsWith(`.${what}.${address}`));
  }

  async function announce(mark: string, address: string): Promise<void> {
    await write(mark).catch((error: unknown) => {
      if (error instanceof StoreError) throw error;
    });
    const endMs = Date.now() + LONGEST_REMOVAL_MS;
    while ((await isMarked('evict', address)) && Date.now() < endMs) await sleep(POLL_MS);
    const now = new Date();
    await utimes(join(root, address), now, now).catch(() => undefined);
  }

  async function drop(address: string): Promise<void> {
    const lease = leases.get(address);
    if (!lease) return;
    lease.count -= 1;
    if (lease.count > 0) return;
    leases.delete(address);
    if (leases.size === 0) {
      clearInterval(renewal);
      renewal = undefined;
    }
    await rm(lease.mark, { force: true }).catch(() => undefined);
  }

  return {
    take: async (address) => {
      let lease = leases.get(address);
      if (!lease) {
        const mark = markOf('use', address);
        lease = { mark, ready: announce(mark, address), count: 0 };
        leases.set(address, lease);
        renewal ??= setInterval(renew, RENEW_MS).unref();
      }
      lease.count += 1;
      try {
        await lease.ready;
      } catch (error) {
        await drop(address);
        throw error;
      }
    },
    drop,
    evict: async (address, remove) => {
      const mark = markOf('evict', address);
      try {
        await write(mark);
        if (leases.has(address) || (await isMarked('use', address))) return false;
        await remove();
        return true;
      } catch {
        // Another process was faster, or the system still holds a file open.
        return false;
      } finally {
        await rm(mark, { force: true }).catch(() => undefined);
      }
    },
  };
}
