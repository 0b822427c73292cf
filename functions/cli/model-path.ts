import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { graphsIn, VERSION_FILE_NAMES, VERSION_FILES } from '../../shared/models/formats/locate.ts';
import { isVersion } from '../../shared/models/versions.ts';
import { shellWord } from '../shell-word.ts';
import { CommandError } from './console.ts';
import { adviseOnFolder, checkMlflowFolder, checkModelFile } from './foreign/foreign-models.ts';

/**
 * Whether a folder is a version of a model: it has a file that holds or names a graph. A graph that is not called
 * `model.onnx` does not count beside complete models: somebody left it there.
 */
export async function isVersionFolder(folder: string): Promise<boolean> {
  if (await hasUsualFile(folder)) return true;
  if ((await listGraphs(folder)).length === 0) return false;
  const others = (await subfoldersOf(folder))
    .filter((name) => name !== 'onnx')
    .map((name) => join(folder, name));
  const holdsModel = async (path: string) =>
    (await hasUsualFile(path)) ||
    (await filterAsync(await subfoldersOf(path), (name) => hasUsualFile(join(path, name)))).length > 0;
  return (await filterAsync(others, holdsModel)).length === 0;
}

async function hasUsualFile(folder: string): Promise<boolean> {
  return (await filterAsync(VERSION_FILES, (file) => isFile(join(folder, file)))).length > 0;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path)).isFile();
}

/** The graphs of a folder, in all the places where one can be. */
async function listGraphs(folder: string): Promise<readonly string[]> {
  const namesIn = async (path: string) => await readdir(path).catch((): string[] => []);
  const below = (await namesIn(join(folder, 'onnx'))).map((name) => `onnx/${name}`);
  const graphs = graphsIn([...(await namesIn(folder)), ...below]);
  return await filterAsync(graphs, (path) => isFile(join(folder, path)));
}

/** The items for which a test is true; a test that throws counts as false. */
async function filterAsync(
  names: readonly string[],
  test: (name: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const holds = await Promise.all(names.map((name) => test(name).catch(() => false)));
  return names.filter((_, index) => holds[index]);
}

/**
 * Refuses a version folder whose only graph is a file of another framework, or that MLflow saved without a graph.
 *
 * @throws CommandError that says what to do about it
 */
export async function checkOnlyGraph(folder: string, title: string): Promise<void> {
  const [only, ...others] = await listGraphs(folder);
  if (only === undefined) return await checkMlflowFolder(folder, title);
  if (others.length > 0) return;
  try {
    await checkModelFile(join(folder, only), join(title, only));
  } catch (error) {
    // A damaged file is reported when it is loaded.
    if (error instanceof CommandError) throw error;
  }
}

/** The direct subfolders that each hold the files of a model, by name. */
export async function modelFoldersOf(path: string): Promise<readonly string[]> {
  return await filterAsync(await subfoldersOf(path), (name) => isVersionFolder(join(path, name)));
}

/** Why a folder is not a model, and what to name instead. */
export async function refuseFolder(path: string, title: string): Promise<CommandError> {
  const shown = JSON.stringify(title);
  const found = await modelFoldersOf(path);
  const [first] = found;
  if (first !== undefined) {
    return new CommandError(
      found.length === 1
        ? `${shown} holds a model in ${first}; name that: ${quotePath(join(title, first))}.`
        : `${shown} holds several models: ${listOf(found)}; name one of them, as in ${quotePath(join(title, first))}.`,
    );
  }
  return new CommandError(
    `${shown} holds no model: none of ${VERSION_FILE_NAMES}.${await hint(path, title)}`,
  );
}

/** How deep in an archive the folder of a model may be. */
const DEEPEST = 8;

/**
 * The folder of the only model below a folder: of a version, or of all versions. Some archives have it in a subfolder.
 * Undefined if there is no model, or several.
 */
export async function findModelFolder(path: string, depth = 0): Promise<string | undefined> {
  if (await isVersionFolder(path)) return path;
  const models = await modelFoldersOf(path);
  if (models.some((name) => isVersion(name))) return path;
  const [only, ...others] = models.length > 0 ? models : await subfoldersOf(path);
  if (only === undefined || others.length > 0 || depth === DEEPEST) return undefined;
  return await findModelFolder(join(path, only), depth + 1);
}

/** Why an archive that was unpacked to a folder is not a model. */
export async function refuseArchive(
  folder: string,
  title: string,
  code: readonly string[],
): Promise<CommandError> {
  const shown = JSON.stringify(title);
  const models = await modelFoldersOf(folder);
  if (models.length > 0) {
    return new CommandError(
      `${shown} holds several models: ${listOf(models)}; unpack it, and name the folder of one of them.`,
    );
  }
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join('/'));
  const listed = listOf([...files, ...code].sort()) || 'none';
  const advice = await adviseOnFolder(folder, title);
  return new CommandError(
    `${shown} holds no model: none of ${VERSION_FILE_NAMES}; its files are: ${listed}.${advice === undefined ? '' : ` Its ${advice}`}`,
  );
}

/** Most names that are listed. */
const SHOWN = 10;

/** The first of some names, and how many there are. */
export function listOf(names: readonly string[]): string {
  return `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? `, … (${names.length} in all)` : ''}`;
}

/** What the user may have meant: a model file of another name, or a model in the folder, if that is a repository. */
async function hint(path: string, title: string): Promise<string> {
  const names = (await readdir(path)).filter((name) => /\.onnx$/i.test(name));
  const [file] = await filterAsync(names, (name) => isFile(join(path, name)));
  if (file !== undefined) return ` Name the file itself: ${quotePath(join(title, file))}.`;
  if (names.length > 0) return ` Its ${names[0]} is neither a file nor a link to one.`;
  const models = await filterAsync(
    await subfoldersOf(path),
    async (name) => (await modelFoldersOf(join(path, name))).length > 0,
  );
  const [first] = models;
  if (first === undefined) {
    const advice = await adviseOnFolder(path, title);
    return advice === undefined ? '' : ` Its ${advice}`;
  }
  const folder = quotePath(join(title, first));
  return ` It is a repository of models: ${listOf(models)}; name one of them, as in ${folder} or in ${shellWord(first)} -r ${quotePath(title)}.`;
}

/** A path that people copy into a command, in double quotes, unless a shell would act on it there. */
function quotePath(path: string): string {
  return /["$`\\!]/.test(path) ? shellWord(path) : `"${path}"`;
}

/** Most folders that are searched. */
const MOST_FOLDERS = 200;

async function subfoldersOf(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isFile() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort()
    .slice(0, MOST_FOLDERS);
}
