import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCodeOf } from '../../../shared/errors.ts';
import type { Lineage } from '../../../shared/models/lineage.ts';

/** A model on this machine. */
export interface ModelPlace {
  /** Of the file or folder, without links. */
  readonly path: string;
  /** The folder with its files. */
  readonly folder: string;
  /** The root of the Git repository that it is in. */
  readonly root: string | undefined;
}

/**
 * Finds a part of the lineage of a model.
 *
 * @throws Error that says what cannot be read
 */
export type Finder = (place: ModelPlace) => Promise<Lineage>;

export async function placeOf(given: string): Promise<ModelPlace> {
  const path = await realpath(given);
  const folder = (await stat(path)).isDirectory() ? path : dirname(path);
  return { path, folder, root: await findAbove(folder, '.git') };
}

/** The nearest folder, this one or one above it, that has a file or folder of this name. */
export async function findAbove(folder: string, name: string): Promise<string | undefined> {
  for (const each of foldersUp(folder)) {
    if (await stat(`${each}/${name}`).catch(() => undefined)) return each;
  }
  return undefined;
}

/** A folder and all above it. */
export function foldersUp(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...foldersUp(parent)];
}

/** Most bytes of a file that is read for the lineage. */
const MOST_BYTES = 16_000_000;

/**
 * The text of a file; undefined if there is none.
 *
 * @throws Error when it cannot be read, or is too large
 */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES) throw new Error(`${path} has ${size} bytes; at most ${MOST_BYTES} are read`);
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}

/**
 * The address of a repository or a server without what may be secret: user, password, query and fragment.
 *
 * @returns undefined for a path of this machine, which means nothing elsewhere
 */
export function withoutSecrets(address: string): string | undefined {
  const text = address.trim();
  if (!text.includes('://')) {
    // As in `git@github.com:owner/repo.git`. A single letter is a Windows drive.
    const [, host, path] = /^(?:.*@)?([\w.-]{2,}):([^@?#]+)$/.exec(text) ?? [];
    return host === undefined ? undefined : `${host}:${path}`;
  }
  const url = URL.parse(text);
  if (url === null || url.host === '' || url.protocol === 'file:') return undefined;
  return `${url.protocol}//${url.host}${url.pathname}`;
}
