import { cpSync, existsSync, lstatSync, readdirSync, rmSync, statSync } from 'node:fs';
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

/** Puts a model repository, which `checkRepository` has looked at, into a built target. */
export function packModels(folder: string, target: string): PackedModels {
  const place = join(target, 'models');
  rmSync(place, { recursive: true, force: true });
  cpSync(folder, place, {
    recursive: true,
    // Links to files would lead nowhere in the cloud.
    dereference: true,
    filter: (path) => !NOT_PACKED.test(relative(folder, path)) && (path === folder || !isLinkedFolder(path)),
  });
  const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return {
    versions: findVersions(place),
    bytes: files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0),
  };
}

/** Servers do not follow links to folders either. */
function isLinkedFolder(path: string): boolean {
  return (
    lstatSync(path).isSymbolicLink() && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  );
}

/** Whether a folder is there and has a model version. */
export function hasModels(folder: string): boolean {
  return existsSync(folder) && findVersions(folder).size > 0;
}

/** @throws CommandError with one sentence when the folder is not a repository with a model version */
export function checkRepository(folder: string): void {
  const shown = JSON.stringify(folder);
  if (versionsOf(folder).size === 0) {
    throw new CommandError(
      `${shown} has no <name>/<version>/ with a .onnx file in it; "ternion add <model> --name <name> -r ${folder}" creates one.`,
    );
  }
  // Everything in it would be packed.
  if (existsSync(join(folder, 'package.json')))
    throw new CommandError(`${shown} is a project, and not a folder of models: it has a package.json.`);
}

function versionsOf(folder: string): FoundVersions {
  if (!existsSync(folder)) throw new CommandError(`There is no folder ${JSON.stringify(folder)}.`);
  try {
    return findVersions(folder);
  } catch (error) {
    throw new CommandError(`${JSON.stringify(folder)} cannot be read: it is not a folder.`, 1, error);
  }
}
