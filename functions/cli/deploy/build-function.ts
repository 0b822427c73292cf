import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { create, extract } from 'tar';
import * as z from 'zod/mini';
import { systemCodeOf } from '../../../shared/errors.ts';
import { ownName } from '../../../shared/leftovers.ts';
import { OWN_CODE_FILE } from '../../own-code.ts';
import { CommandError } from '../console.ts';
import { compileConfig } from '../project/compile-config.ts';
import { makeFolder } from '../temporary-folder.ts';
import { archiveOf, type FunctionTarget } from './function-targets.ts';
import { nativePackage, type PackagePlaces, placeNativeFiles } from './native-packages.ts';
import { checkRepository, type PackedModels, packModels } from './packed-models.ts';

/** In the archive of a bundle: what has to be put beside it. */
const RECIPE_FILE = 'recipe.json';

/** Lists the third-party packages of a bundle with their licences. */
export const NOTICES_FILE = 'THIRD-PARTY-NOTICES.txt';

const recipeSchema = z.record(
  z.string(),
  z.object({
    /** Those of sharp and koffi. */
    packages: z.array(nativePackage),
    /** Their licences. */
    notices: z.string(),
  }),
);

/** What a bundle needs beside it, by platform. */
export type Recipe = z.infer<typeof recipeSchema>;

/** What a project puts into a target. */
export interface ProjectParts<Models extends string | undefined> {
  /** Folder of the model repository; no models are packed without it. */
  readonly models: Models;
  /** Path of the own code. */
  readonly config: string | undefined;
}

/** Where the parts of Ternion are. */
export interface BuildPlaces extends PackagePlaces {
  /** The folder with the archives of the bundles. */
  readonly functions: string;
}

/** Writes the archive of a bundle, from which targets for all its platforms are made. The same files make the same archive. */
export function writeArchive(bundle: string, archive: string, recipe: Recipe): void {
  writeFileSync(join(bundle, RECIPE_FILE), JSON.stringify(recipe));
  mkdirSync(dirname(archive), { recursive: true });
  const files = readdirSync(bundle, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(bundle, join(entry.parentPath, entry.name)));
  create(
    { file: archive, cwd: bundle, gzip: { level: 9 }, portable: true, mtime: new Date(0), sync: true },
    files.sort(),
  );
}

/**
 * Makes the folder that a cloud runs: the bundle, the native libraries of the platform, the own code and the models of
 * the project.
 *
 * @param output is replaced
 * @returns what models it has
 * @throws CommandError
 */
export async function buildFunction(
  target: FunctionTarget,
  output: string,
  parts: ProjectParts<string>,
  places: BuildPlaces,
): Promise<PackedModels>;
export async function buildFunction(
  target: FunctionTarget,
  output: string,
  parts: ProjectParts<string | undefined>,
  places: BuildPlaces,
): Promise<PackedModels | undefined>;
export async function buildFunction(
  { host, platform }: FunctionTarget,
  output: string,
  { models, config }: ProjectParts<string | undefined>,
  places: BuildPlaces,
): Promise<PackedModels | undefined> {
  const archive = archiveOf(places.functions, host);
  if (!existsSync(archive)) throw new CommandError(`${archive} is missing: run "npm run build" first.`);
  checkReplaceable(output);
  if (models !== undefined) checkRepository(models);
  // Nobody finds half a build, and a failure leaves the one before. Builds of processes that were killed are removed.
  const staging = join(dirname(output), STAGING_FOLDER);
  const folder = await makeStaging(staging);
  try {
    extract({ file: archive, cwd: folder, sync: true });
    const recipe = recipeSchema.parse(JSON.parse(readFileSync(join(folder, RECIPE_FILE), 'utf8')));
    rmSync(join(folder, RECIPE_FILE));
    const natives = recipe[platform];
    if (natives === undefined) throw new Error(`${archive} is not for ${platform}`);
    await placeNativeFiles(natives.packages, platform, folder, places);
    appendFileSync(join(folder, NOTICES_FILE), `\n${natives.notices}`);
    if (config !== undefined) await compileConfig(config, join(folder, OWN_CODE_FILE));
    const packed = models === undefined ? undefined : packModels(models, folder);
    replaceFolder(folder, output);
    return packed;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    removeIfEmpty(staging);
  }
}

/** In the folder of the targets, so that a finished one only has to be renamed. */
const STAGING_FOLDER = '.ternion';

async function makeStaging(parent: string): Promise<string> {
  try {
    mkdirSync(parent, { recursive: true });
    return await makeFolder(parent);
  } catch (error) {
    throw new CommandError(
      `${JSON.stringify(dirname(parent))} cannot be made or written to; choose another folder by --output.`,
      1,
      error,
    );
  }
}

/** Somebody who uses the one before finds it, or the new one. */
function replaceFolder(folder: string, output: string): void {
  const old = join(dirname(folder), ownName());
  if (existsSync(output)) renameSync(output, old);
  try {
    renameSync(folder, output);
  } catch (error) {
    if (existsSync(old)) renameSync(old, output);
    throw error;
  } finally {
    rmSync(old, { recursive: true, force: true });
  }
}

/** Another build may use it. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
  }
}

/** Files of every target. */
const MARKS = ['index.mjs', 'trial.mjs'];

/** A folder with something else in it is not removed. */
function checkReplaceable(output: string): void {
  const facts = statSync(output, { throwIfNoEntry: false });
  if (facts === undefined) return;
  if (!facts.isDirectory())
    throw new CommandError(`${JSON.stringify(output)} is a file; choose another folder by --output.`);
  const isBuild = readdirSync(output).length === 0 || MARKS.every((mark) => existsSync(join(output, mark)));
  if (!isBuild)
    throw new CommandError(
      `${JSON.stringify(output)} has other files than a build; choose another folder by --output.`,
    );
}
