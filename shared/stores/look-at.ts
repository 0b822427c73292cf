import type { BigIntStats, Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, sep } from 'node:path';
import { systemCodeOf } from '../errors.ts';

/** What is at a path in a folder of models. */
export type Entry =
  | { readonly kind: 'file'; readonly facts: BigIntStats }
  | { readonly kind: 'folder' }
  /** It is not read. The problem completes a sentence about it: `is a pipe, not a file`. */
  | { readonly kind: 'unusable'; readonly problem: string };

/**
 * Looks at a path without opening it: opening a pipe would wait for its writer, and a link may lead to any file of the
 * machine.
 *
 * @param isAllowed whether a file may be read, by its path without links
 * @returns undefined if nothing is there
 */
export async function lookAt(
  path: string,
  isAllowed: (target: string) => boolean,
): Promise<Entry | undefined> {
  let target: string;
  let facts: BigIntStats;
  try {
    target = await realpath(path);
    if (!isAllowed(target)) {
      return unusable(`is a link that leads outside the folder, to ${JSON.stringify(target)}`);
    }
    facts = await stat(target, { bigint: true });
  } catch (error) {
    const own = await lstat(path).catch(() => undefined);
    if (!own?.isSymbolicLink()) return undefined;
    return unusable(`is a link that cannot be followed (${String(systemCodeOf(error))})`);
  }
  if (facts.isFile()) return { kind: 'file', facts };
  return facts.isDirectory() ? { kind: 'folder' } : unusable(describeKind(facts));
}

/** Whether a path is a folder or below it; both are absolute. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function unusable(problem: string): Entry {
  return { kind: 'unusable', problem };
}

/** Describes something that is neither a file nor a folder: `is a pipe, not a file`. */
export function describeKind(facts: Pick<Stats, 'isFIFO' | 'isSocket'>): string {
  if (facts.isFIFO()) return 'is a pipe, not a file';
  return facts.isSocket() ? 'is a socket, not a file' : 'is a device, not a file';
}
