import { invalid } from '../../../shared/errors.ts';
import { decodeBase64 } from '../../../shared/http/base64.ts';
import type { InferenceInput, InputKind, Located } from '../../../shared/inference/input.ts';
import { hasOnly, type JsonValue } from '../../../shared/json/parse-json.ts';
import { isDecimal } from '../../../shared/protocols/codecs/decimal.ts';
import { CsvRecord, type InputRow } from './read-rows.ts';

/** A column a model takes, as far as CSV has to know it. */
export interface Column {
  readonly name: string;
  /** Whether its values are texts, digits or not. */
  readonly type?: 'number' | 'string' | undefined;
}

/** Members under which a line of JSON can hold what a model takes, as in a predict request. */
const MEMBERS: Readonly<Record<InputKind, string>> = {
  features: 'features',
  image: 'image',
  text: 'text',
  tensors: 'inputs',
};

/**
 * Rows as one input of the core.
 *
 * @param columns the model's features; undefined where its config names none
 * @throws InferenceError when a row cannot be what the model takes
 */
export function toInput(
  rows: readonly InputRow[],
  kind: InputKind,
  columns: readonly Column[] | undefined,
): InferenceInput {
  const values = rows.map(
    (row): Located<CsvRecord | JsonValue | Uint8Array> => ({
      value: unwrap(row.value, MEMBERS[kind]),
      field: row.file ?? `row ${row.row}`,
    }),
  );
  switch (kind) {
    case 'features':
      return {
        kind,
        rows: values.map(({ value, field }) => ({ value: toRow(value, field, columns), field })),
      };
    case 'image':
      return { kind, images: values.map(({ value, field }) => ({ value: toImage(value, field), field })) };
    case 'text':
      return { kind, texts: values.map(({ value, field }) => ({ value: toText(value, field), field })) };
    case 'tensors': {
      const [only] = values;
      if (!only || values.length > 1) throw new Error('tensors are run one row at a time');
      return { kind, tensors: { value: toJson(only.value, only.field), field: only.field } };
    }
  }
}

/** A line can be what a predict request takes: `{"features": …}`. */
function unwrap(value: InputRow['value'], member: string): InputRow['value'] {
  if (value instanceof CsvRecord || value instanceof Uint8Array) return value;
  return hasOnly(value, member) ? (value[member] ?? null) : value;
}

function toRow(value: InputRow['value'], field: string, columns: readonly Column[] | undefined): JsonValue {
  if (!(value instanceof CsvRecord)) return toJson(value, field);
  const { names, cells } = value;
  if (!columns || !names) return cells.map((cell, index) => toCell(cell, columns?.[index]));
  return columns.map((column) => {
    const { name } = column;
    const index = names.indexOf(name);
    const cell = cells[index];
    if (index === -1)
      throw invalid(`The CSV has no column ${JSON.stringify(name)}; its columns are ${names.join(', ')}.`);
    if (cell === undefined)
      throw invalid(`${field} has ${cells.length} cells and so no ${JSON.stringify(name)}.`);
    return toCell(cell, column);
  });
}

/** Numbers are written as text in CSV; anything else is left for the model's own check to name. */
function toCell(cell: string, column: Column | undefined): JsonValue {
  const text = cell.trim();
  return column?.type !== 'string' && isDecimal(text) ? Number(text) : cell;
}

function toImage(value: InputRow['value'], field: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return decodeBase64(value, field);
  throw invalid(`${field} holds no image; expected {"image": "<base64>"}, or a folder of images as input.`);
}

/** A line of JSON that is text, or the only column of a CSV. */
function toText(value: InputRow['value'], field: string): string {
  if (typeof value === 'string') return value;
  if (value instanceof CsvRecord) {
    const index = value.names?.indexOf('text') ?? -1;
    const [only, ...others] = value.cells;
    const cell = index === -1 && others.length === 0 ? only : value.cells[index];
    if (cell !== undefined) return cell;
  }
  throw invalid(`${field} holds no text; expected {"text": "…"}, or CSV with a column "text".`);
}

function toJson(value: InputRow['value'], field: string): JsonValue {
  if (value instanceof Uint8Array || value instanceof CsvRecord) {
    throw invalid(`${field} is of a kind that this model does not take.`);
  }
  return value;
}
