import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import { InferenceError } from '../../../shared/errors.ts';
import type { JsonValue } from '../../../shared/json/parse-json.ts';
import { parseJson } from '../../../shared/json/parse-json.ts';
import { isText } from '../../../shared/protocols/codecs/csv.ts';
import { CommandError } from '../console.ts';
import { JSON_DEPTH } from '../json-depth.ts';

/** One row, line or file of the input. */
export interface InputRow {
  /** From 1 on. */
  readonly row: number;
  /** Path below the folder, when the input is one. */
  readonly file?: string;
  /** Why it cannot be used; such rows are kept with their error. */
  readonly problem?: string;
  /** A row of CSV as texts by column, a line of JSON, or the bytes of a file. */
  readonly value: CsvRecord | JsonValue | Uint8Array;
}

/** A row of CSV before it is known what the model takes. */
export class CsvRecord {
  readonly names: readonly string[] | undefined;
  readonly cells: readonly string[];

  constructor(names: readonly string[] | undefined, cells: readonly string[]) {
    this.names = names;
    this.cells = cells;
  }
}

export interface RowSource {
  /** What `position` counts up to: bytes of a file, or files of a folder. */
  readonly total: number;
  position(): number;
  /** Size and time of the input, which tell whether it is the same as before. */
  readonly identity: string;
  rows(): AsyncIterable<InputRow>;
}

export type HeaderRule = 'auto' | 'present' | 'absent';

const READERS: Readonly<
  Record<string, (path: string, header: HeaderRule, seen: (bytes: number) => void) => AsyncIterable<InputRow>>
> = {
  '.csv': readCsv,
  '.jsonl': readLines,
  '.ndjson': readLines,
};

/**
 * Opens a CSV file, a file of JSON lines or a folder of images. It is read as it is used: memory does not grow with it.
 *
 * @throws CommandError when it is none of them
 */
export async function openRows(path: string, header: HeaderRule): Promise<RowSource> {
  const facts = await stat(path).catch(() => {
    throw new CommandError(`There is no file or folder ${JSON.stringify(path)}.`, 2);
  });
  if (facts.isDirectory()) return await openFolder(path);
  const read = READERS[extname(path).toLowerCase()];
  if (!read) {
    throw new CommandError(
      `${JSON.stringify(path)} is not one of ${Object.keys(READERS).join(', ')} and no folder of images.`,
      2,
    );
  }
  let position = 0;
  return {
    total: facts.size,
    position: () => position,
    identity: `${facts.size}-${facts.mtimeMs}`,
    rows: () =>
      read(path, header, (bytes) => {
        position = bytes;
      }),
  };
}

async function* readCsv(
  path: string,
  header: HeaderRule,
  seen: (bytes: number) => void,
): AsyncIterable<InputRow> {
  const stream = createReadStream(path, { highWaterMark: 1 << 18 });
  const parser = stream.pipe(
    parse({ bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true }),
  );
  stream.on('error', (error) => parser.destroy(error));
  let names: readonly string[] | undefined;
  let row = 0;
  let isFirst = true;
  for await (const cells of parser) {
    seen(stream.bytesRead);
    if (!isTexts(cells)) throw new Error('the CSV parser gave something else than texts');
    // Names of columns are no numbers.
    if (isFirst && (header === 'present' || (header === 'auto' && cells.some(isText))))
      names = cells.map((cell) => cell.trim());
    else yield { row: ++row, value: new CsvRecord(names, cells) };
    isFirst = false;
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((cell) => typeof cell === 'string');
}

async function* readLines(
  path: string,
  _header: HeaderRule,
  seen: (bytes: number) => void,
): AsyncIterable<InputRow> {
  const stream = createReadStream(path, { highWaterMark: 1 << 18 });
  let row = 0;
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    seen(stream.bytesRead);
    if (line.trim() === '') continue;
    row++;
    yield parseLine(line, row);
  }
}

function parseLine(line: string, row: number): InputRow {
  try {
    return { row, value: parseJson(Buffer.from(line), JSON_DEPTH) };
  } catch (error) {
    if (error instanceof InferenceError) return { row, value: null, problem: error.message };
    throw error;
  }
}

const IMAGE_FILE = /\.(?:jpe?g|png|webp|gif|tiff?|avif)$/i;

/** The images of a folder and the folders in it, in the order of their paths. */
async function openFolder(folder: string): Promise<RowSource> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && IMAGE_FILE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length))
    .sort();
  if (files.length === 0) throw new CommandError(`There is no image in ${JSON.stringify(folder)}.`);
  let position = 0;
  return {
    total: files.length,
    position: () => position,
    identity: `${files.length} files`,
    rows: async function* () {
      for (const file of files) {
        position++;
        yield { row: position, file, value: await readFile(join(folder, file)) };
      }
    },
  };
}
