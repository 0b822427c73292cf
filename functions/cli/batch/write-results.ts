import { extname } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import type { WritableJson } from '../../../shared/json/write-json.ts';
import { writeJson } from '../../../shared/json/write-json.ts';
import { CommandError } from '../console.ts';
import type { InputRow } from './row-source.ts';

export type Result =
  | { readonly row: InputRow; readonly error: string }
  | { readonly row: InputRow; readonly prediction: { readonly [key: string]: WritableJson } };

/** Writes exactly one line per result, so the number of lines says how far a batch is. */
export interface ResultFormat {
  readonly name: string;
  /** Text before the first result; '' for none. */
  readonly header: string;
  write(results: readonly Result[]): string;
  /** Whether a line that was written is that of a bad row. */
  isBad(line: string): boolean;
}

export interface FormatOptions {
  /** The model's labels, each a column of a CSV. */
  readonly labels: readonly string[] | undefined;
  /** Names of the outputs that a model without predictions gives for each row, each a column of a CSV. */
  readonly outputs: readonly string[] | undefined;
  /** Whether the columns of the labels hold probabilities; scores otherwise. */
  readonly areProbabilities: boolean;
  /** Whether rows are files of a folder. */
  readonly isFolder: boolean;
  /** Whether cells of a CSV that a spreadsheet would run get an apostrophe in front. */
  readonly safeCells: boolean;
}

/**
 * The format of an output file, by its extension.
 *
 * @throws CommandError for another extension, and for safe cells in a format without cells
 */
export function resultFormat(path: string, options: FormatOptions): ResultFormat {
  const extension = extname(path).toLowerCase();
  if (extension === '.csv') return csvFormat(options);
  if (extension === '.jsonl' || extension === '.ndjson') {
    if (options.safeCells)
      throw new CommandError(
        `--safe-cells works only for .csv outputs; ${JSON.stringify(path)} has no cells.`,
        2,
      );
    return { name: 'jsonl', header: '', write: writeLines, isBad: (line) => BAD_LINE.test(line) };
  }
  throw new CommandError(`${JSON.stringify(path)} must end in .jsonl or .csv.`, 2);
}

function writeLines(results: readonly Result[]): string {
  return results
    .map((result) => {
      const place = result.row.file === undefined ? { row: result.row.row } : { file: result.row.file };
      return `${writeJson('error' in result ? { ...place, error: result.error } : { ...place, ...result.prediction })}\n`;
    })
    .join('');
}

const BAD_LINE = /^\{(?:"row":\d+|"file":"(?:[^"\\]|\\.)*"),"error":"(?:[^"\\]|\\.)*"\}$/;

function csvFormat({ labels, outputs, areProbabilities, isFolder, safeCells }: FormatOptions): ResultFormat {
  const write = (rows: readonly (readonly (string | number)[])[]) =>
    stringify(safeCells ? rows.map((cells) => cells.map(toSafeCell)) : [...rows]);
  const place = isFolder ? 'file' : 'row';
  const scores =
    labels?.map((label) => oneLine(`${areProbabilities ? 'probability' : 'score'}_${label}`)) ?? [];
  const hasConfidence = labels !== undefined && areProbabilities;
  const given = outputs?.map(oneLine) ?? ['prediction', ...(hasConfidence ? ['confidence'] : []), ...scores];
  const names = [place, ...given, 'error'];
  return {
    name: `csv ${safeCells ? 'safe ' : ''}${names.join(',')}`,
    header: write([names]),
    write: (results) =>
      write(
        results.map((result) => {
          const { row } = result;
          const at = row.file === undefined ? row.row : oneLine(row.file);
          if ('error' in result) return [at, ...names.slice(2).map(() => ''), oneLine(result.error)];
          const { prediction } = result;
          if (outputs) return [at, ...outputs.map((name) => toCell(prediction[name])), ''];
          const { confidence, probabilities: ofLabels = prediction.scores } = prediction;
          const byLabel = ofLabels instanceof Map ? ofLabels : new Map<string, WritableJson>();
          return [
            at,
            toCell(prediction.prediction ?? prediction.embedding ?? prediction.outputs ?? prediction),
            ...(hasConfidence ? [toCell(confidence)] : []),
            ...(labels ?? []).map((label) => toCell(byLabel.get(label))),
            '',
          ];
        }),
      ),
    // Errors are the last cell; one that holds a comma ends in a quote.
    isBad: (line) => !line.endsWith(','),
  };
}

/** What a spreadsheet would run as a formula. Source: OWASP, "CSV Injection"; OWASP ASVS 5.0, 1.2.10. */
const FORMULA = /^(?:\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\0])/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** Spreadsheets show a text with an apostrophe in front as it is; numbers stay numbers. */
function toSafeCell(cell: string | number): string | number {
  return typeof cell === 'string' && FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
}

function toCell(value: WritableJson): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? writeJson(value) : oneLine(String(value));
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ');
}
