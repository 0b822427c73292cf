import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { InferenceError } from '../../../shared/errors.ts';
import { type JsonValue, parseJson } from '../../../shared/json/parse-json.ts';
import { isText } from '../../../shared/protocols/codecs/csv.ts';
import { CommandError, describeSystemError } from '../console.ts';
import { JSON_DEPTH } from '../json-depth.ts';
import { readLines } from './read-lines.ts';
import { readTable } from './read-table.ts';

/** One row, line or file of the input. */
export interface InputRow {
  /** From 1 on. */
  readonly row: number;
  /** Path below the folder, when the input is one. */
  readonly file?: string;
  /** Why it cannot be used; such rows are kept with their error. */
  readonly problem?: string;
  /** A row of CSV as texts by column, a line of JSON, or the bytes of a file. */
  readonly value: Cells | JsonValue | Uint8Array;
}

/** A row of CSV before it is known what the model takes. */
export class Cells {
  readonly texts: readonly string[];

  constructor(texts: readonly string[]) {
    this.texts = texts;
  }
}

export interface RowSource {
  readonly kind: 'table' | 'lines' | 'folder';
  /** The names of a table's columns; undefined where it has none. */
  readonly names?: readonly string[] | undefined;
  /** What `position` counts up to: bytes of a file, or files of a folder. */
  readonly total: number;
  position(): number;
  /** Which rows these are: size and time of a file, the paths in a folder, and how they are read. */
  readonly identity: string;
  /** @param skip how many of the first rows are left out */
  rows(skip?: number): AsyncIterable<InputRow>;
}

export interface TableOptions {
  readonly header: 'auto' | 'present' | 'absent';
  /** One character, or "tab"; undefined for what the file's extension means. */
  readonly delimiter?: string;
}

/** What separates cells in a table of this extension. */
const TABLES: Readonly<Record<string, string>> = { '.csv': ',', '.tsv': '\t' };
const LINES = ['.jsonl', '.ndjson'];

/**
 * Opens a table, a file of JSON lines or a folder of images. It is read as it is used: memory does not grow with it.
 *
 * @throws CommandError when it is none of them
 */
export async function openRows(path: string, options: TableOptions): Promise<RowSource> {
  const facts = await stat(path).catch((error: unknown) => {
    throw new CommandError(`The input cannot be read: ${describeSystemError(error) ?? path}`, 2);
  });
  if (facts.isDirectory()) return await openFolder(path);
  const extension = extname(path).toLowerCase();
  const identity = `${facts.size}-${facts.mtimeMs}`;
  const separator = TABLES[extension];
  if (separator !== undefined) return await openTable(path, facts.size, identity, separator, options);
  if (LINES.includes(extension)) return openLines(path, facts.size, identity);
  throw new CommandError(
    `The input ${JSON.stringify(path)} is not a file in ${[...Object.keys(TABLES), ...LINES].join(', ')}, and no folder of images.`,
    2,
  );
}

async function openTable(
  path: string,
  total: number,
  identity: string,
  separator: string,
  options: TableOptions,
): Promise<RowSource> {
  const delimiter = readDelimiter(options.delimiter, separator);
  const first = await firstCells(path, delimiter);
  // Names of columns are no numbers.
  const { header } = options;
  const hasNames = header === 'present' || (header === 'auto' && first.some(isText));
  const names = hasNames ? first.map((cell) => cell.trim()) : undefined;
  let position = 0;
  return {
    kind: 'table',
    names,
    total,
    position: () => position,
    identity: `${identity} ${JSON.stringify(delimiter)} ${hasNames ? 'with' : 'without'} names`,
    rows: async function* (skip = 0) {
      let row = hasNames ? -1 : 0;
      const table = readTable(path, delimiter, (bytes) => {
        position = bytes;
      });
      for await (const taken of table) {
        if (++row > skip) yield toInputRow(row, taken, names);
      }
    },
  };
}

function toInputRow(
  row: number,
  taken: { readonly cells: readonly string[] } | { readonly problem: string },
  names: readonly string[] | undefined,
): InputRow {
  if ('problem' in taken) return { row, value: null, problem: `row ${row} ${taken.problem}.` };
  const { cells } = taken;
  const value = new Cells(cells);
  if (!names || cells.length === names.length) return { row, value };
  // With a cell too many or too few nobody knows which belongs to which name.
  return {
    row,
    value,
    problem: `row ${row} has ${cells.length} cells; the first row has ${names.length} names.`,
  };
}

function readDelimiter(given: string | undefined, separator: string): string {
  if (given === undefined) return separator;
  const delimiter = given === 'tab' || given === '\\t' ? '\t' : given;
  if (delimiter.length === 1 && !/["\r\n]/.test(delimiter)) return delimiter;
  throw new CommandError(`--delimiter ${JSON.stringify(given)} must be one character, or "tab".`, 2);
}

async function firstCells(path: string, delimiter: string): Promise<readonly string[]> {
  for await (const row of readTable(path, delimiter)) {
    if ('problem' in row) throw new CommandError(`The first row of ${path} ${row.problem}.`);
    if (row.cells.some((cell) => cell.includes('\0'))) {
      throw new CommandError(`${path} holds no text in UTF-8: save it as CSV in UTF-8.`);
    }
    return row.cells;
  }
  return [];
}

function openLines(path: string, total: number, identity: string): RowSource {
  let position = 0;
  return {
    kind: 'lines',
    total,
    position: () => position,
    identity,
    rows: async function* (skip = 0) {
      let row = 0;
      const blocks = readLines(path, (bytes) => {
        position = bytes;
      });
      for await (const block of blocks) {
        for (const { text, problem } of block) {
          if (problem === undefined && text.trim() === '') continue;
          if (++row <= skip) continue;
          yield problem === undefined
            ? parseLine(text, row)
            : { row, value: null, problem: `row ${row} ${problem}.` };
        }
      }
    },
  };
}

function parseLine(line: string, row: number): InputRow {
  try {
    return { row, value: parseJson(Buffer.from(line), JSON_DEPTH) };
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    // Written for the body of a request, which is this one line here.
    const problem = error.message.replace(/^The (?:JSON )?body/, `row ${row}`).replace('line 1, ', '');
    return { row, value: null, problem };
  }
}

const IMAGE_FILE = /\.(?:jpe?g|png|webp|gif|tiff?|avif)$/i;

/** The images of a folder and the folders in it, in the order of their paths. */
async function openFolder(folder: string): Promise<RowSource> {
  const root = join(await realpath(folder), '/');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory() && IMAGE_FILE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
  if (files.length === 0) throw new CommandError(`There is no image in ${JSON.stringify(folder)}.`);
  let position = 0;
  return {
    kind: 'folder',
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

async function readImage(root: string, file: string, row: number): Promise<InputRow> {
  try {
    return { row, file, value: await readFile(join(root, file)) };
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
