import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../shared/config.ts';
import type { AppOwnCode } from '../shared/own-requests.ts';
import { printable } from './printable.ts';

/** Beside a bundle: the `ternion.config.ts` of the project that it was built in. */
export const OWN_CODE_FILE = 'own-code.mjs';

/**
 * The own code that was built with a bundle; undefined if there is none. The process ends if it cannot be loaded.
 *
 * @param folder of the bundle
 */
export async function loadOwnCodeOrExit(folder: string): Promise<AppOwnCode | undefined> {
  const file = join(folder, OWN_CODE_FILE);
  if (!existsSync(file)) return undefined;
  try {
    const { importOwnCode } = await import('./import-own-code.ts');
    return await importOwnCode(file, OWN_CODE_FILE);
  } catch (error) {
    console.error(error instanceof ConfigError ? printable(error.message) : error);
    process.exit(1);
  }
}
