import { lstat, mkdir, open, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { shellWord } from '../../shell-word.ts';
import { CommandError, type Console } from '../console.ts';
import { readClouds } from '../init/clouds.ts';
import { makeProject } from '../init/project-files.ts';
import { listOf } from '../model-path.ts';

export interface InitOptions {
  /** Names with commas between them; by default none. */
  readonly clouds?: string;
}

/** `ternion init`: a new project that answers at once, with an example model, own code, a test and a workflow. */
export async function init(folder: string, options: InitOptions, output: Console): Promise<void> {
  const clouds = readClouds(options.clouds ?? '');
  const path = resolve(folder);
  const { name, files } = await makeProject(path, clouds);
  const paths = [...files.keys()];
  await checkFolder(folder, path, paths);
  await writeAll(path, files);
  output.result({ folder, name, clouds: clouds.map((cloud) => cloud.name), files: paths }, () =>
    [
      `The project ${name} is in ${folder}:`,
      ...paths.map((each) => `  ${each}`),
      'Next:',
      ...(path === resolve('.') ? [] : [`  cd ${wordOfFolder(folder)}`]),
      '  npm install',
      '  npm test',
      '  npm start',
      'It serves an example model. To publish your own model:',
      '  npx ternion add <model.onnx or folder>',
    ].join('\n'),
  );
}

/** `cd` takes a name with a minus at its beginning for an option, or for the previous folder. */
function wordOfFolder(folder: string): string {
  return shellWord(folder.startsWith('-') ? `./${folder}` : folder);
}

/** What a folder may have for which somebody has only made a repository: hidden files, and a licence. */
const HARMLESS = /^(?:\.|licen[cs]e)/i;

/** @throws CommandError when the folder cannot be the one of a new project */
async function checkFolder(folder: string, path: string, paths: readonly string[]): Promise<void> {
  const shown = JSON.stringify(folder);
  if (folder === '') throw new CommandError('The name of the folder is empty; "." is this folder.', 2);
  if (/(?:^|[\\/])node_modules(?:[\\/]|$)/.test(path)) {
    throw new CommandError(`${shown} is in a folder of npm, node_modules; name another folder.`, 2);
  }
  const facts = await stat(path).catch(() => undefined);
  if (!facts) return;
  if (!facts.isDirectory()) throw new CommandError(`${shown} is a file; name a new or empty folder.`, 2);
  const found = await readdir(path);
  const existing = await Promise.all(
    paths.map(async (each) => ((await isThere(join(path, each))) ? [each] : [])),
  );
  const replaced = existing.flat();
  if (replaced.length > 0) {
    throw new CommandError(
      `${shown} has files that would be overwritten: ${listOf(replaced)}. Name a new or empty folder.`,
    );
  }
  const others = found.filter((each) => !HARMLESS.test(each)).sort();
  if (others.length > 0) {
    throw new CommandError(`${shown} is not empty: it has ${listOf(others)}. Name a new or empty folder.`);
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/** Writes the files, or none of them: half a project would be in the way of the next attempt. */
async function writeAll(path: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const written: string[] = [];
  const folders: string[] = [];
  try {
    for (const [each, content] of files) {
      const file = join(path, each);
      folders.push(...(await makeFolders(dirname(file))));
      // Not a file that another program has written in the meantime.
      const handle = await open(file, 'wx');
      written.push(file);
      await handle.writeFile(content).finally(() => handle.close());
    }
  } catch (error) {
    for (const file of written) await rm(file, { force: true });
    // The innermost first; one that is not empty has files of others.
    for (const folder of folders.sort((a, b) => b.length - a.length)) await rmdir(folder).catch(() => {});
    throw error;
  }
}

/** @returns the folders that were not there before */
async function makeFolders(path: string): Promise<readonly string[]> {
  const outermost = await mkdir(path, { recursive: true });
  const made: string[] = [];
  if (outermost === undefined) return made;
  for (let at = path; at.length >= outermost.length; at = dirname(at)) made.push(at);
  return made;
}
