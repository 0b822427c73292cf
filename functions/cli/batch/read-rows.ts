import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { InferenceError } from '../../../shared/errors.ts';
import { parseExactJson, parseJson } from '../../../shared/json/parse-json.ts';
import { describeKind } from '../../../shared/stores/look-at.ts';
import { isText } from '../../../shared/values/csv.ts';
import { CommandError, describeSystemError } from '../console.ts';
import { JSON_DEPTH } from '../words.ts';
import { openFolder } from './read-folder.ts';
import { readLines } from './read-lines.ts';
import { readTable } from './read-table.ts';
import { Cells, type InputRow, type RowSource } from './row-source.ts';

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
  if (!facts.isFile()) {
    throw new CommandError(
      `The input ${JSON.stringify(path)} ${describeKind(facts)}: save what comes out of it as a file first.`,
      2,
    );
  }
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
  // Names of columns are not numbers.
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

/** A whole number that may need all its digits. */
const MANY_DIGITS = /\d{16}/;

function parseLine(line: string, row: number): InputRow {
  try {
    const parse = MANY_DIGITS.test(line) ? parseExactJson : parseJson;
    return { row, bytes: line.length, value: parse(Buffer.from(line), JSON_DEPTH, { isLine: true }) };
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    return { row, value: null, problem: `row ${row} ${error.problem}` };
  }
}
