import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The suffix of the folder of an incomplete download. */
export const PARTIAL = '.partial';

/** A folder of downloaded files, complete or not. */
export interface Download {
  readonly name: string;
  readonly address: string;
  readonly sizeBytes: number;
}

const NAME = /^([0-9a-f]{64})(?:\.partial)?$/;

/** The downloads below a folder, least recently used first. Those that cannot be read are left out. */
export async function listDownloads(root: string): Promise<readonly Download[]> {
  const found: (Download & { readonly usedAtMs: number })[] = [];
  for (const name of await readdir(root).catch(() => [])) {
    const address = NAME.exec(name)?.[1];
    const facts = address ? await lstat(join(root, name)).catch(() => undefined) : undefined;
    if (!address || !facts?.isDirectory()) continue;
    const sizeBytes = await sumFiles(join(root, name));
    found.push({ name, address, sizeBytes, usedAtMs: facts.mtimeMs });
  }
  return found.sort((a, b) => a.usedAtMs - b.usedAtMs);
}

async function sumFiles(folder: string): Promise<number> {
  let sum = 0;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const facts = entry.isFile() && (await lstat(join(entry.parentPath, entry.name)).catch(() => undefined));
    if (facts) sum += facts.size;
  }
  return sum;
}
