import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import type { Pages } from './pages.ts';

/** A plain file name: no folder, no way up. */
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Pages as files of one folder. A file is read only when it is asked for, and nothing is cached. */
export function openPagesFolder(folder: string): Pages {
  return {
    read: async (name) => {
      if (!NAME_PATTERN.test(name)) return undefined;
      try {
        return await readFile(join(folder, name));
      } catch (error) {
        if (systemCodeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}
