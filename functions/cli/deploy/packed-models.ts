import { cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CommandError } from '../console.ts';
import { type FoundVersions, findVersions } from './find-versions.ts';

/** The models of a built target. */
export interface PackedModels {
  readonly versions: FoundVersions;
  readonly bytes: number;
}

/** Files that made a model, and files that editors leave beside it. */
const NOT_PACKED = /(?:^|[/\\])(?:\.|__pycache__)|\.py$|requirements\.txt$|README\.md$/;

/**
 * Puts a model repository into a built target.
 *
 * @throws CommandError as `checkModels` does
 */
export function packModels(folder: string, target: string): PackedModels {
  checkModels(folder);
  const place = join(target, 'models');
  rmSync(place, { recursive: true, force: true });
  cpSync(folder, place, {
    recursive: true,
    // Links would lead nowhere in the cloud.
    dereference: true,
    filter: (path) => !NOT_PACKED.test(relative(folder, path)),
  });
  const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return {
    versions: findVersions(place),
    bytes: files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0),
  };
}

/** @throws CommandError with one sentence when the folder holds no model version */
export function checkModels(folder: string): void {
  if (versionsOf(folder).size > 0) return;
  throw new CommandError(
    `${JSON.stringify(folder)} has no <name>/<version>/ with a .onnx file in it; "ternion add <model> --name <name> -r ${folder}" creates one.`,
  );
}

function versionsOf(folder: string): FoundVersions {
  try {
    return findVersions(folder);
  } catch (error) {
    throw new CommandError(`${JSON.stringify(folder)} cannot be read: it is not a folder.`, 1, error);
  }
}
