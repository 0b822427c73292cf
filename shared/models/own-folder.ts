import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { systemCodeOf } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { StoreError } from '../stores/model-store.ts';

/**
 * Makes a folder that only this user can change, and the folders above it. If it exists already, it must be such a
 * folder; the folders above it may be any.
 *
 * @throws StoreError `unwritable` when other users can change it; or a system error
 */
export async function makeOwnFolder(path: string): Promise<void> {
  try {
    await makeFolder(path, MODE);
  } catch (error) {
    // If something else than a folder is there, the check below reports it.
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  }
  await checkOwnFolder(path);
}

/** Read, write and search for the owner alone. */
const MODE = 0o700;

/**
 * Checks that only this user and root can change a folder. A folder that other users can change is not trusted: through
 * links, they could make this user remove files, or serve another model.
 *
 * @returns whether the path exists
 * @throws StoreError `unwritable` with what is wrong with it
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

/** Whether only this user and root can change a file, or the content of a folder. */
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

/** Windows has no user ids, and gives each user their own temporary folder. */
function findForeign({ uid, mode }: Stats): string | undefined {
  const own = process.getuid?.();
  if (own === undefined) return undefined;
  // Root can write everywhere anyway.
  if (uid !== own && uid !== 0) return `belongs to user ${uid}`;
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  if (mode & OTHERS_WRITE) return `can be written to by all users (mode ${octal})`;
  return mode & GROUP_WRITE ? `can be written to by its group (mode ${octal})` : undefined;
}
