import { existsSync } from 'node:fs';
import type { OwnCode } from '../../../shared/processors/own-code.ts';
import { importConfig } from '../../import-own-code.ts';
import { CommandError } from '../console.ts';
import { compileOwnCode, findConfig } from '../project/own-code.ts';

/**
 * Compiles and loads the configuration of a project, as the command does. Tests need it on Node 20, which cannot import
 * TypeScript; others can import the file.
 *
 * @param path by default `ternion.config.ts`, or another of its names, in the working folder
 * @returns what `open` and `createApp` take
 * @throws CommandError, ConfigError saying what is wrong with it
 */
export async function loadConfig(path?: string): Promise<OwnCode> {
  const found = path === undefined || existsSync(path) ? findConfig(path) : undefined;
  if (found === undefined) {
    const name = path === undefined ? 'ternion.config.ts in the working folder' : JSON.stringify(path);
    throw new CommandError(`There is no file ${name}.`);
  }
  return await importConfig(await compileOwnCode(found), found);
}
