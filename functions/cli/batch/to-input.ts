import { invalid } from '../../../shared/errors.ts';
import { decodeBase64 } from '../../../shared/http/base64.ts';
import { hasOnly, type JsonValue } from '../../../shared/json/json-value.ts';
import { isDecimal } from '../../../shared/values/decimal.ts';
import type { InferenceInput, InputKind, Located } from '../../../shared/values/input.ts';
import { Cells, type InputRow } from './row-source.ts';

/** What a cell of CSV can be, as far as it has to be known. */
export interface CellFormat {
  /** Whether its values are texts, digits or not; undefined where it is not known. */
  readonly type?: 'number' | 'string' | undefined;
  /** Whether its number may be missing. */
  readonly canBeMissing?: boolean | undefined;
}

/** A column that a model takes. */
export interface Column extends CellFormat {
  /** Index of its cell in a row of CSV. */
  readonly cell: number;
}

/** What a model takes of a row of CSV: columns it has names for, or all cells as they stand. */
export type TakenCells = readonly Column[] | CellFormat;

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
 * @param columns what the model takes of a row of CSV
 * @throws InferenceError when a row cannot be what the model takes
 */
export function toInput(rows: readonly InputRow[], kind: InputKind, columns: TakenCells): InferenceInput {
  const values = rows.map(
    (row): Located<Cells | JsonValue | Uint8Array> => ({
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
      return {
        kind,
        texts: values.map(({ value, field }) => ({ value: toText(value, field, columns), field })),
      };
    case 'tensors': {
      const [only] = values;
      if (!only || values.length > 1) throw new Error('tensors are run one row at a time');
      return { kind, tensors: { value: toJson(only.value, only.field), field: only.field } };
    }
  }
}

/** A line can be what a predict request takes: `{"features": …}`. */
function unwrap(value: InputRow['value'], member: string): InputRow['value'] {
  if (value instanceof Cells || value instanceof Uint8Array) return value;
  return hasOnly(value, member) ? (value[member] ?? null) : value;
}

function toRow(value: InputRow['value'], field: string, columns: TakenCells): JsonValue {
  if (!(value instanceof Cells)) return toJson(value, field);
  return isList(columns)
    ? columns.map((column) => toCell(value.texts[column.cell] ?? '', column))
    : value.texts.map((text) => toCell(text, columns));
}

/** How pandas and others write a number that is missing. */
const MISSING = /^(?:|nan|na|n\/a|null|none)$/i;

/** Numbers are written as text in CSV; anything else is left for the model's own check to name. */
function toCell(cell: string, { type, canBeMissing }: CellFormat): JsonValue {
  const text = cell.trim();
  if (canBeMissing && MISSING.test(text)) return null;
  return type !== 'string' && isDecimal(text) ? Number(text) : cell;
}

function toImage(value: InputRow['value'], field: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return decodeBase64(value, field);
  throw invalid(`${field} holds no image; expected {"image": "<base64>"}, or a folder of images as input.`);
}

/** A line of JSON that is text, or the cell of a CSV. */
function toText(value: InputRow['value'], field: string, columns: TakenCells): string {
  if (typeof value === 'string') return value;
  const [column] = isList(columns) ? columns : [];
  const text = value instanceof Cells ? value.texts[column?.cell ?? 0] : undefined;
  if (text !== undefined) return text;
  throw invalid(`${field} holds no text; expected {"text": "…"}.`);
}

function toJson(value: InputRow['value'], field: string): JsonValue {
  if (value instanceof Uint8Array || value instanceof Cells) {
    throw invalid(`${field} is of a kind that this model does not take.`);
  }
  return value;
}

/** `Array.isArray` does not narrow a readonly array by itself. */
function isList(columns: TakenCells): columns is readonly Column[] {
  return Array.isArray(columns);
}
