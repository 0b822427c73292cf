import { join, relative } from 'node:path';
import { CommandError, type Console } from '../console.ts';
import { buildFunction } from '../deploy/build-function.ts';
import { checkModels } from '../deploy/check-models.ts';
import { describeVersions } from '../deploy/find-versions.ts';
import { FUNCTION_TARGETS, type FunctionTarget } from '../deploy/function-targets.ts';
import { checkNpm } from '../deploy/npm.ts';
import { checkRepository, type PackedModels } from '../deploy/packed-models.ts';
import { placesHere } from '../deploy/places.ts';
import { findConfig } from '../project/own-code.ts';

/** What the commands that build have in common. */
export interface BuildOptions {
  /** Folder of the models that are packed. */
  readonly models: string;
  /** Folder in which targets are made. */
  readonly output: string;
  readonly config?: string;
  /** Whether the models are loaded first. */
  readonly check: boolean;
}

/** A target that was built. */
export interface BuiltTarget {
  /** Relative to the working folder. */
  readonly folder: string;
  readonly models: PackedModels;
}

/** `ternion build`: the folders that clouds run, with the models and the own code of the project. */
export async function build(names: readonly string[], options: BuildOptions, output: Console): Promise<void> {
  checkNpm();
  const targets = names.map(findTarget);
  await checkBeforeBuild(options);
  const built: BuiltTarget[] = [];
  for (const target of targets) built.push(await buildTarget(target.name, options, output));
  output.result(
    built.map(({ folder, models }) => ({
      folder,
      models: Object.fromEntries(models.versions),
      bytes: models.bytes,
    })),
    () =>
      built
        .map(({ folder, models }) => `built ${folder} with the models ${describePacked(models)}`)
        .join('\n'),
  );
}

/** @throws CommandError when the models that are packed cannot be loaded */
export async function checkBeforeBuild({ models, config, check }: BuildOptions): Promise<void> {
  checkRepository(models);
  if (check) await checkModels(models, config);
}

/** Builds one target in the folder of its name. @throws CommandError */
export async function buildTarget(
  name: string,
  { models, output, config }: BuildOptions,
  { note }: Pick<Console, 'note'>,
): Promise<BuiltTarget> {
  const folder = join(output, name);
  const parts = { models, config: findConfig(config) };
  const packed = await buildFunction(findTarget(name), folder, parts, placesHere(note));
  return { folder: relative('.', folder), models: packed };
}

/** `iris 1, 2; digits 1 (0.1 MB)`. */
export function describePacked({ versions, bytes }: PackedModels): string {
  return `${describeVersions(versions)} (${(bytes / 1e6).toFixed(1)} MB)`;
}

/** @throws CommandError that names the targets */
export function findTarget(name: string): FunctionTarget {
  const found = FUNCTION_TARGETS.find((target) => target.name === name);
  if (found !== undefined) return found;
  const known = FUNCTION_TARGETS.map((target) => target.name).join(', ');
  throw new CommandError(`There is no target ${JSON.stringify(name)}; the targets are ${known}.`, 2);
}
