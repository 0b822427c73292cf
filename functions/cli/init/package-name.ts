import { basename } from 'node:path';

/** npm allows no longer names. */
const LONGEST = 214;

const ACCENTS = /\p{Mark}/gu;
/** What a name cannot have, and what it cannot begin or should not end with. */
const OTHERS = /[^a-z0-9._-]+/g;
const EDGES = /^[._-]+|[._-]+$/g;

/** npm never accepts these. */
const REFUSED = ['node_modules', 'favicon.ico'];

/**
 * A name that npm accepts for the package in a folder, close to that of the folder.
 *
 * @param folder its whole path
 * @param dependencies npm refuses to install a package into a project of the same name
 */
export function packageNameOf(folder: string, dependencies: readonly string[]): string {
  const plain = basename(folder).normalize('NFKD').replace(ACCENTS, '').toLowerCase();
  const name = plain.replace(OTHERS, '-').replace(EDGES, '').slice(0, LONGEST).replace(EDGES, '');
  if (name === '') return 'ternion-project';
  return [...REFUSED, ...dependencies].includes(name) ? `${name}-project` : name;
}
