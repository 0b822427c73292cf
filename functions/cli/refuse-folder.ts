import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { VERSION_FILES } from '../../shared/models/formats/recognise.ts';
import { shellWord } from '../shell-word.ts';
import { CommandError } from './console.ts';
import { filterAsync, isVersionFolder } from './is-version-folder.ts';
import { adviseOnFolder } from './refuse-file.ts';

/** The folders right below one that hold the files of a model each, by name. */
export async function modelFoldersOf(path: string): Promise<readonly string[]> {
  return await filterAsync(await subfoldersOf(path), (name) => isVersionFolder(join(path, name)));
}

/** Why a folder cannot be taken for a model, and what to name instead. */
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
    `${shown} holds no model: none of ${VERSION_FILES.join(', ')}.${await hint(path, title)}`,
  );
}

/** Most names that are told. */
const SHOWN = 10;

/** The first of names, and how many there are. */
export function listOf(names: readonly string[]): string {
  return `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? `, … (${names.length} in all)` : ''}`;
}

/** What else could be meant: a model file of another name, or a model of the repository that the folder is. */
async function hint(path: string, title: string): Promise<string> {
  const [file] = (await readdir(path)).filter((name) => /\.onnx$/i.test(name));
  if (file !== undefined) return ` Name the file itself: ${quotePath(join(title, file))}.`;
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

/** A path that people copy behind a command: in the quotes of our sentences, but where a shell acts inside of those. */
function quotePath(path: string): string {
  return /["$`\\!]/.test(path) ? shellWord(path) : `"${path}"`;
}

/** Most folders that are looked into. */
const MOST_FOLDERS = 200;

async function subfoldersOf(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isFile() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort()
    .slice(0, MOST_FOLDERS);
}
