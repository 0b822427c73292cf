import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * The Chromium of this machine: the one CHROMIUM_PATH names, Debian's, or one on the path. Undefined where there is
 * none; then the tests in browsers are skipped, and the closing line of the run says so.
 *
 * @throws Error when CHROMIUM_PATH names a file that does not exist: people who set it want the tests to run
 */
export function findChromium(): string | undefined {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROMIUM_PATH=${JSON.stringify(named)} is not there`);
    return named;
  }
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  return folders
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}
