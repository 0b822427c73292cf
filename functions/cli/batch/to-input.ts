import { invalid } from '../../../shared/errors.ts';
import { decodeBase64 } from '../../../shared/http/base64.ts';
import { hasOnly, isJsonObject, type JsonValue } from '../../../shared/json/json-value.ts';
import { type Column, readText } from '../../../shared/values/cell.ts';
import type { FieldValue, InferenceInput, InputKind, TextValue } from '../../../shared/values/input.ts';
import { columnAt, type RowFormat } from '../../../shared/values/row.ts';
import { readJsonNumber } from '../../../shared/values/table.ts';
import { Cells, type InputRow } from './row-source.ts';

/** A cell of a row of CSV that a model takes. */
export interface TakenCell {
  /** Its index in the row. */
  readonly index: number;
  readonly column: Column;
}

/** All cells of a row, for a step of own code: by the names of the columns if the table has some. */
export interface JsonCells {
  readonly names: readonly string[] | undefined;
}

/** Which cells of a row of CSV a model takes: those it has names for, or all of them, by what each column holds. */
export type TakenCells = readonly TakenCell[] | RowFormat['columns'] | JsonCells | undefined;

/** Members of a line of JSON that can hold the input of a model, as in a predict request. */
const MEMBERS: Readonly<Record<InputKind, string>> = {
  features: 'features',
  image: 'image',
  text: 'text',
  tensors: 'inputs',
};

/**
 * Rows as one input of the core.
 *
 * @param columns which cells of a row of CSV the model takes
 * @throws InferenceError when a row is not of the kind that the model takes
 */
export function toInput(rows: readonly InputRow[], kind: InputKind, columns: TakenCells): InferenceInput {
  const values = rows.map(
    (row): FieldValue<Cells | JsonValue | Uint8Array> => ({
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

/** A line can have the form of a predict request: `{"features": …}`. */
function unwrap(value: InputRow['value'], member: string): InputRow['value'] {
  if (value instanceof Cells || value instanceof Uint8Array) return value;
  return hasOnly(value, member) ? (value[member] ?? null) : value;
}

function toRow(value: InputRow['value'], field: string, columns: TakenCells): JsonValue {
  if (!(value instanceof Cells)) return toJson(value, field);
  if (columns !== undefined && 'names' in columns) {
    const cells = value.texts.map(readJsonNumber);
    return columns.names === undefined
      ? cells
      : Object.fromEntries(columns.names.map((name, index) => [name, cells[index] ?? null]));
  }
  if (isTaken(columns)) {
    return columns.map(({ index, column }) => readText(value.texts[index] ?? '', column));
  }
  return value.texts.map((text, index) => (columns ? readText(text, columnAt(columns, index)) : text));
}

function toImage(value: InputRow['value'], field: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return decodeBase64(value, field);
  throw invalid(field, 'holds no image; expected {"image": "<base64>"}, or a folder of images as input.');
}

/** The text or pair of texts in a line of JSON, or in one or two cells of a CSV. */
function toText(value: InputRow['value'], field: string, columns: TakenCells): TextValue {
  if (typeof value === 'string') return value;
  const [text, pair] = value instanceof Cells ? textCells(value, columns) : textMembers(value);
  if (typeof text !== 'string' || (pair !== undefined && typeof pair !== 'string')) {
    throw invalid(field, 'holds no text; expected {"text": "…"}.');
  }
  return pair === undefined ? text : { text, pair };
}

function textCells({ texts }: Cells, columns: TakenCells): readonly (string | undefined)[] {
  return isTaken(columns) ? columns.map(({ index }) => texts[index]) : [texts[0]];
}

function textMembers(value: JsonValue | Uint8Array): readonly (JsonValue | undefined)[] {
  if (value instanceof Uint8Array || !isJsonObject(value)) return [];
  const isPair = Object.keys(value).every((name) => name === 'text' || name === 'text_pair');
  return isPair ? [value.text, value.text_pair ?? null] : [];
}

function toJson(value: InputRow['value'], field: string): JsonValue {
  if (value instanceof Uint8Array || value instanceof Cells) {
    throw invalid(field, 'is of a kind that this model does not take.');
  }
  return value;
}

function isTaken(columns: TakenCells): columns is readonly TakenCell[] {
  return columns !== undefined && !('names' in columns) && columns.every((each) => 'index' in each);
}
