import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemCodeOf } from './errors.ts';

/**
 * A name for temporary files of this process, `<host>-<pid>-<uuid>` and an ending. The host says which processes share
 * process numbers with this one; other machines and containers may share the folder.
 */
export function ownName(ending = ''): string {
  host ??= readHost();
  return `${host}-${process.pid}-${randomUUID()}${ending}`;
}

/** Matches exactly the names that `ownName` gives with the endings in use, so a user's file is never taken for one. */
const OWN_NAME =
  /^([0-9a-f]{16})-([1-9]\d*)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?:\.(?:use|evict)\.[0-9a-f]{64})?$/;

/** How often a process renews the time of what it keeps in use, so that other hosts know it is running. */
export const RENEW_MS = 60_000;
/** After this time without renewal, files of a process on another host count as left over. */
const LEFT_MS = 15 * RENEW_MS;

/**
 * Removes what ended processes left in a folder. On this host the numbers of running processes decide; for other hosts
 * only the time of the last renewal can be seen. Links are removed, never followed.
 */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!OWN_NAME.test(name)) continue;
    const path = join(folder, name);
    const facts = await lstat(path).catch(() => undefined);
    if (facts && isLeft(name, facts.ctimeMs))
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Whether the process that gave itself a name has ended. A text that is not such a name counts as the name of a process
 * on another host.
 *
 * @param changedMs when the system last saw it change; unlike the time of its content, nobody can choose that
 */
export function isLeft(name: string, changedMs: number): boolean {
  const [, maker, number] = OWN_NAME.exec(name) ?? [];
  const pid = Number(number);
  host ??= readHost();
  if (maker !== host) return changedMs < Date.now() - LEFT_MS;
  if (pid !== process.pid) return !isRunning(pid);
  // Other threads of this process may make some now, but nothing before it started.
  return changedMs < Date.now() - process.uptime() * 1000;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user answers EPERM.
    return systemCodeOf(error) !== 'ESRCH';
  }
}

let host: string | undefined;

/**
 * Processes that know each other's numbers have the same host: on Linux those of one namespace in one boot, elsewhere
 * those of one machine. Source: Linux manual pages proc_sys_kernel(5), pid_namespaces(7).
 */
function readHost(): string {
  const facts = process.platform === 'linux' ? readNamespace() : [];
  return createHash('sha256')
    .update([hostname(), ...facts].join('\n'))
    .digest('hex')
    .slice(0, 16);
}

/** Where the system hides the namespace, each process counts as a host of its own. */
function readNamespace(): readonly string[] {
  try {
    return [readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'), readlinkSync('/proc/self/ns/pid')];
  } catch {
    return [randomUUID()];
  }
}
