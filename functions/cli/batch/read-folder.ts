import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeKind } from '../../../shared/stores/look-at.ts';
import { CommandError, describeSystemError } from '../console.ts';
import type { InputRow, RowSource } from './row-source.ts';

const IMAGE_FILE = /\.(?:jpe?g|png|webp|gif|tiff?|avif)$/i;

/** The images of a folder and its subfolders, in the order of their paths. @throws CommandError if there are none */
export async function openFolder(folder: string): Promise<RowSource> {
  const root = join(await realpath(folder), '/');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
  const files = paths.filter((path) => IMAGE_FILE.test(path));
  if (files.length === 0) {
    throw new CommandError(
      `There is no image in ${JSON.stringify(folder)}: no file whose name ends in ${IMAGE_NAMES}.`,
    );
  }
  let position = 0;
  return {
    kind: 'folder',
    note: noteOf(paths.filter((path) => !IMAGE_FILE.test(path))),
    total: files.length,
    position: () => position,
    identity: createHash('sha256').update(files.join('\0')).digest('hex'),
    rows: async function* (skip = 0) {
      for (const [index, file] of files.entries()) {
        if (index < skip) continue;
        position = index + 1;
        yield await readImage(root, file, index + 1);
      }
    },
  };
}

const IMAGE_NAMES = '.jpg, .png, .webp, .gif, .tiff or .avif';
const MOST_NAMES = 3;

function noteOf(others: readonly string[]): string | undefined {
  if (others.length === 0) return undefined;
  const shown = others.slice(0, MOST_NAMES).map((path) => JSON.stringify(path));
  const more = others.length > MOST_NAMES ? ` and ${others.length - MOST_NAMES} more` : '';
  return `Left out, because their names do not end in ${IMAGE_NAMES}: ${shown.join(', ')}${more}.`;
}

async function readImage(root: string, file: string, row: number): Promise<InputRow> {
  try {
    const facts = await stat(join(root, file));
    // Opening a pipe waits for its writer, and reading a device may never end.
    if (!facts.isFile() && !facts.isDirectory()) {
      return { row, file, value: null, problem: `${file} cannot be read: it ${describeKind(facts)}.` };
    }
    const value = await readFile(join(root, file));
    return { row, file, bytes: value.length, value };
  } catch (error) {
    const reason = describeSystemError(error) ?? 'it is too large.';
    return {
      row,
      file,
      value: null,
      problem: `${file} cannot be read: ${reason.replace(`${join(root, file)}: `, '')}`,
    };
  }
}
