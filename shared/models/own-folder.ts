import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { systemCodeOf } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { StoreError } from '../stores/model-store.ts';

/**
 * Makes a folder that only this user can change, and the folders above it. One that is there already must be of that
 * kind; those above it may be as they are.
 *
 * @throws StoreError `unwritable` when it is not, or an error of the system
 */
export async function makeOwnFolder(path: string): Promise<void> {
  try {
    await makeFolder(path, MODE);
  } catch (error) {
    // What is there instead of a folder is said below.
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  }
  await checkOwnFolder(path);
}

/** Read, write and search for the owner alone. */
const MODE = 0o700;

/**
 * Looks whether a path is a folder that only this user, and root, can change. What other users can change is not
 * trusted: they could have files of this user removed through links, or have another model served.
 *
 * @returns whether something is there
 * @throws StoreError `unwritable` saying what is there instead
 */
export async function checkOwnFolder(path: string): Promise<boolean> {
  const facts = await lstat(path).catch((error: unknown) => {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (!facts) return false;
  const fault = findFault(facts);
  if (fault === undefined) return true;
  const owner = process.getuid === undefined ? 'this user' : `user ${process.getuid()}`;
  throw new StoreError(
    'unwritable',
    `The cache folder ${path} ${fault}; expected a folder of ${owner} that no other user can write to. ` +
      'Remove it, or set MODEL_CACHE_FOLDER to another folder.',
  );
}

/** Whether only this user, and root, can change a file, or what a folder holds. */
export function isOwn(facts: Stats): boolean {
  return findForeign(facts) === undefined;
}

function findFault(facts: Stats): string | undefined {
  if (facts.isSymbolicLink()) return 'is a link';
  if (!facts.isDirectory()) return 'is not a folder';
  return findForeign(facts);
}

/** Bits of a mode that let the group and all other users write. */
const [GROUP_WRITE, OTHERS_WRITE] = [0o020, 0o002];

/** Windows has no user numbers, and gives each user an own temporary folder. */
function findForeign({ uid, mode }: Stats): string | undefined {
  const own = process.getuid?.();
  if (own === undefined) return undefined;
  // Root can write everywhere in any case.
  if (uid !== own && uid !== 0) return `belongs to user ${uid}`;
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  if (mode & OTHERS_WRITE) return `can be written to by all users (mode ${octal})`;
  return mode & GROUP_WRITE ? `can be written to by its group (mode ${octal})` : undefined;
}
