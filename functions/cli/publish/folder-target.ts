import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemCodeOf } from '../../../shared/errors.ts';
import { filterAsync, isVersionFolder } from '../is-version-folder.ts';
import type { Target } from './target.ts';

/** What a killed process left is taken away when it is older. */
const LEFTOVER_MS = 24 * 3600 * 1000;

/**
 * A repository in a folder. A version is made ready in a hidden folder beside its place, which is no part of the
 * repository, and moved there in one step: it is never half there.
 */
export function openFolderTarget(repository: string): Target {
  const root = resolve(repository.startsWith('file://') ? fileURLToPath(repository) : repository);
  return {
    versions: async (name) => {
      const names = (await namesIn(join(root, name))).filter((version) => !version.startsWith('.'));
      return await filterAsync(names, (version) => isVersionFolder(join(root, name, version)));
    },
    stage: async (name, version) => {
      await removeLeftovers(join(root, name));
      const folder = join(root, name, `.${version}.${process.pid}`, version);
      await mkdir(folder, { recursive: true });
      return folder;
    },
    publish: async (name, version, { folder }) => {
      const place = join(root, name, version);
      try {
        // A folder that is empty would be replaced; one that has files makes it fail.
        if (await exists(place)) return undefined;
        await rename(folder, place);
        return place;
      } catch (error) {
        if (await exists(place)) return undefined;
        throw error;
      } finally {
        await rm(dirname(folder), { recursive: true, force: true });
      }
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  });
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!/^\..+\.\d+$/.test(name)) continue;
    const facts = await stat(join(folder, name)).catch(() => undefined);
    if (facts && Date.now() - facts.mtimeMs > LEFTOVER_MS) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}
