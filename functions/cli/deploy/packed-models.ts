import { cpSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
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

/** Puts a model repository into a built target. @throws CommandError as `checkModels` does */
export function packModels(folder: string, target: string): PackedModels {
  checkModels(folder);
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
export function checkModels(folder: string): void {
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

/**
 * Own code is not run by a build, which may not have its variables. A model without any could never answer.
 *
 * @throws CommandError that names the first model with a step, if the project has no own code
 */
export function checkSteps(folder: string, config: string | undefined): void {
  if (config !== undefined) return;
  for (const [model, versions] of versionsOf(folder)) {
    for (const version of versions) {
      const file = join(folder, model, version, 'model.json');
      const [step] = existsSync(file) ? stepsOf(readFileSync(file, 'utf8')) : [];
      if (step !== undefined)
        throw new CommandError(
          `${file} names the step ${JSON.stringify(step)}, and this folder has no ternion.config.ts that defines it.`,
        );
    }
  }
}

/** Whether the rest of it is right, the server says. */
function stepsOf(text: string): readonly unknown[] {
  try {
    const config: unknown = JSON.parse(text);
    const processors: unknown =
      typeof config === 'object' && config !== null ? Reflect.get(config, 'processors') : undefined;
    return Array.isArray(processors)
      ? processors.map((each: unknown) =>
          typeof each === 'object' && each !== null ? Reflect.get(each, 'step') : each,
        )
      : [];
  } catch {
    return [];
  }
}

function versionsOf(folder: string): FoundVersions {
  try {
    return findVersions(folder);
  } catch (error) {
    throw new CommandError(`${JSON.stringify(folder)} cannot be read: it is not a folder.`, 1, error);
  }
}
