import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AppOwnCode } from '../../../shared/own-requests.ts';
import { OWN_CODE_FILE } from '../../own-code.ts';
import { CommandError } from '../console.ts';
import { cacheFolder, makeTemporaryFolder } from '../temporary-folder.ts';

/** The names that a configuration can have in the working folder. It is never read from a repository of models. */
const CONFIG_FILES = ['ternion.config.ts', 'ternion.config.mts', 'ternion.config.js', 'ternion.config.mjs'];

let current: AppOwnCode | undefined;

/** The own code of the project in whose folder the command runs; undefined if it has none. */
export function ownCode(): AppOwnCode | undefined {
  return current;
}

/**
 * Finds, compiles and loads the own code of the project. Commands call it once, before they open a model.
 *
 * @param config the path that `--config` names; by default a file in the working folder
 * @throws CommandError, ConfigError
 */
export async function openOwnCode(config: string | undefined): Promise<void> {
  const path = findConfig(config);
  current = path === undefined ? undefined : await load(path);
}

/** @throws CommandError when the file that is named does not exist */
export function findConfig(config: string | undefined, folder = '.'): string | undefined {
  if (config === undefined)
    return CONFIG_FILES.map((name) => join(folder, name)).find((path) => existsSync(path));
  if (existsSync(config)) return config;
  throw new CommandError(`There is no file ${JSON.stringify(config)} for --config.`, 2);
}

async function load(path: string): Promise<AppOwnCode> {
  const { importOwnCode } = await import('../../import-own-code.ts');
  return await importOwnCode(await compileOwnCode(path), path);
}

/**
 * Compiles the configuration of a project.
 *
 * @returns the path of the module
 * @throws CommandError
 */
export async function compileOwnCode(path: string): Promise<string> {
  const { compileConfig } = await import('./compile-config.ts');
  const outfile = join(await makeTemporaryFolder(cacheFolder()), OWN_CODE_FILE);
  await compileConfig(resolve(path), outfile);
  return outfile;
}
