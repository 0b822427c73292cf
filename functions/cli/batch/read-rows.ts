import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { InferenceError } from '../../../shared/errors.ts';
import { parseExactJson, parseJson } from '../../../shared/json/parse-json.ts';
import { describeKind } from '../../../shared/stores/look-at.ts';
import { canBeName } from '../../../shared/values/cell.ts';
import { CommandError, describeSystemError } from '../console.ts';
import { countOf, JSON_DEPTH } from '../words.ts';
import { openFolder } from './read-folder.ts';
import { readLines } from './read-lines.ts';
import { readTable } from './read-table.ts';
import { Cells, type InputRow, type RowSource } from './row-source.ts';

export interface TableOptions {
  readonly header: 'auto' | 'present' | 'absent';
  /** One character, or "tab"; undefined for the usual one of the file's extension. */
  readonly delimiter?: string;
}

/** What separates cells in a table of this extension. */
const TABLES: Readonly<Record<string, string>> = { '.csv': ',', '.tsv': '\t' };
const LINES = ['.jsonl', '.ndjson'];

/**
 * Opens a table, a file of JSON lines or a folder of images. It is read while its rows are used: memory does not grow
 * with it.
 *
 * @param columns names that a model has for its columns; several lists if several models run the rows
 * @throws CommandError when it is not one of them
 */
export async function openRows(
  path: string,
  options: TableOptions,
  columns: readonly (readonly string[])[],
): Promise<RowSource> {
  const facts = await stat(path).catch((error: unknown) => {
    throw new CommandError(`The input cannot be read: ${describeSystemError(error) ?? path}`, 2);
  });
  if (facts.isDirectory()) return await openFolder(path);
  if (!facts.isFile()) {
    throw new CommandError(
      `The input ${JSON.stringify(path)} ${describeKind(facts)}: save its content as a file first.`,
      2,
    );
  }
  const extension = extname(path).toLowerCase();
  const identity = `${facts.size}-${facts.mtimeMs}`;
  const separator = TABLES[extension];
  if (separator !== undefined) {
    return await openTable(path, { total: facts.size, identity, separator, columns }, options);
  }
  if (LINES.includes(extension)) return openLines(path, facts.size, identity);
  throw new CommandError(
    `The input ${JSON.stringify(path)} is neither a folder of images nor a file that ends in ${[...Object.keys(TABLES), ...LINES].join(', ')}.`,
    2,
  );
}

interface TableFile {
  readonly total: number;
  readonly identity: string;
  readonly separator: string;
  readonly columns: readonly (readonly string[])[];
}

async function openTable(
  path: string,
  { total, identity, separator, columns }: TableFile,
  { header, delimiter: given }: TableOptions,
): Promise<RowSource> {
  const delimiter = readDelimiter(given, separator);
  const first = (await firstCells(path, delimiter)).map((cell) => cell.trim());
  const hasNames = header === 'present' || (header === 'auto' && areNames(first, columns));
  const names = hasNames ? first : undefined;
  let position = 0;
  return {
    kind: 'table',
    names,
    areNamesGuessed: header === 'auto',
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

/**
 * As on the server: one value among texts makes it a row, so that a row with a mistake in it is not read as names.
 */
function areNames(cells: readonly string[], columns: readonly (readonly string[])[]): boolean {
  const areOwn = columns.some((names) => names.length > 0 && names.every((name) => cells.includes(name)));
  return (
    areOwn || (cells.some((cell) => cell !== '') && cells.every((cell) => cell === '' || canBeName(cell)))
  );
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
  // With a cell too many or too few, it is not known which cell belongs to which name.
  return {
    row,
    value,
    problem: `row ${row} has ${countOf(cells.length, 'cell')}; the first row has ${countOf(names.length, 'name')}.${separatorHint(names)}`,
  };
}

/** The likely cause when a whole row is one cell. */
export function separatorHint([only = '', ...others]: readonly string[]): string {
  const delimiter = others.length === 0 ? [...';\t|,'].find((each) => only.includes(each)) : undefined;
  if (delimiter === undefined) return '';
  return ` Its cells seem to have another separator: try --delimiter ${delimiter === '\t' ? 'tab' : `"${delimiter}"`}.`;
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
      throw new CommandError(`${path} is not text in UTF-8: save it as CSV in UTF-8.`);
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
