import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import type { NamedInputs } from '../../inference/check-feeds.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/parse-json.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { decodeImageValue } from './image-value.ts';
import { describeInputs, type ModelContract } from './model-contract.ts';
import { checkInstances, imagesOf } from './rows.ts';
import { parseTensorValues } from './tensor-values.ts';

/** A table as it came: columns in their order, all of one length. */
export interface Frame {
  /** By name; tables without names have `undefined` here and go by order. */
  readonly names: readonly string[] | undefined;
  readonly columns: readonly (readonly JsonValue[])[];
  /** Where it stands in the request, for errors. */
  readonly field: string;
  /** Whether numbers may be written as text, as in CSV. */
  readonly isText: boolean;
}

/**
 * The tensors of a table. Columns named like the inputs become one tensor each. For a model with one input the columns
 * stand side by side in it: by the names of its features where the config has them, else in the order they came.
 * Source: how MLflow's ONNX flavour takes a data frame.
 *
 * @throws InferenceError naming the column or cell, what came and what is expected
 */
export function decodeFrame(frame: Frame, contract: ModelContract, limits: Limits): NamedInputs {
  const { names, columns, field } = frame;
  const rows = columns[0]?.length ?? 0;
  if (rows === 0) throw invalid(`Field "${field}" has no rows; expected at least one.`);
  checkInstances(rows, field, limits);
  const { inputs, imageInput, features } = contract;
  if (imageInput !== undefined) return decodeImages(frame, imageInput);
  const byName = new Map(names?.map((name, index) => [name, columns[index] ?? []]));
  if (inputs.every(({ name }) => byName.has(name))) {
    return new Map(
      inputs.map((spec) => {
        const values = (byName.get(spec.name) ?? []).map((cell) => readCell(cell, spec, frame, spec.name));
        return [spec.name, parseTensorValues(values, spec, `${field}.${spec.name}`, limits)];
      }),
    );
  }
  const [only, ...others] = inputs;
  if (!only || others.length > 0) {
    throw invalid(
      `Field "${field}" has the columns ${describeNames(names)}; expected one per input: ${describeInputs(contract)}.`,
    );
  }
  const ordered = features && names ? features.map((name) => findColumn(name, byName, frame)) : columns;
  const width = only.shape[1] ?? -1;
  if (width !== -1 && only.shape.length === 2 && ordered.length !== width) {
    throw invalid(`Field "${field}" has ${ordered.length} columns; the model takes ${width}.`);
  }
  const lists = Array.from({ length: rows }, (_, row) =>
    ordered.map((column, index) =>
      readCell(column[row] ?? null, only, frame, names?.[index] ?? String(index), row),
    ),
  );
  return new Map([[only.name, parseTensorValues(lists, only, field, limits)]]);
}

/** A data frame of rows that are objects, as pandas writes `records`. */
export function frameOfRecords(value: JsonValue | undefined, field: string): Frame {
  if (!Array.isArray(value)) {
    throw invalid(`Field "${field}" is ${describeJson(value)}; expected an array of objects, one per row.`);
  }
  const [first] = value;
  const names = isJsonObject(first) ? Object.keys(first) : [];
  const columns = names.map((): JsonValue[] => []);
  for (const [row, record] of value.entries()) {
    if (!isJsonObject(record)) {
      throw invalid(
        `Field "${field}[${row}]" is ${describeJson(record)}; expected an object of column and value.`,
      );
    }
    for (const [index, name] of names.entries()) {
      const cell = Object.hasOwn(record, name) ? record[name] : undefined;
      if (cell === undefined)
        throw invalid(`Field "${field}[${row}]" lacks the column ${JSON.stringify(name)}.`);
      columns[index]?.push(cell);
    }
  }
  return { names, columns, field, isText: false };
}

/** A data frame as pandas writes `split`: `{"columns": […], "data": [[…], …]}`, with an `index` that says nothing here. */
export function frameOfSplit(value: JsonValue | undefined, field: string): Frame {
  if (!isJsonObject(value) || !Array.isArray(value.data)) {
    throw invalid(`Field "${field}" is ${describeJson(value)}; expected {"columns": […], "data": [[…], …]}.`);
  }
  const names = value.columns === undefined ? undefined : readNames(value.columns, `${field}.columns`);
  const width = names?.length ?? (Array.isArray(value.data[0]) ? value.data[0].length : 1);
  const columns = Array.from({ length: width }, (): JsonValue[] => []);
  for (const [index, row] of value.data.entries()) {
    const cells = Array.isArray(row) ? row : [row];
    if (cells.length !== width) {
      throw invalid(`Field "${field}.data[${index}]" has ${cells.length} cells; expected ${width}.`);
    }
    for (const [column, cell] of cells.entries()) columns[column]?.push(cell);
  }
  return { names, columns, field, isText: false };
}

/** A table as an object of columns, each a list. */
export function frameOfColumns(value: JsonValue | undefined, field: string, isText = false): Frame {
  if (!isJsonObject(value)) {
    throw invalid(`Field "${field}" is ${describeJson(value)}; expected an object of columns.`);
  }
  const names = Object.keys(value);
  const columns = names.map((name) => {
    const cells = value[name];
    if (Array.isArray(cells)) return cells;
    throw invalid(`Field "${field}.${name}" is ${describeJson(cells)}; expected an array.`);
  });
  const [first] = columns;
  const uneven = columns.findIndex((column) => column.length !== first?.length);
  if (uneven !== -1) {
    throw invalid(
      `Field "${field}.${names[uneven]}" has ${columns[uneven]?.length} values; "${names[0]}" has ${first?.length}.`,
    );
  }
  return { names, columns, field, isText };
}

function readNames(value: JsonValue, field: string): string[] {
  if (!Array.isArray(value)) throw invalid(`Field "${field}" is ${describeJson(value)}; expected an array.`);
  return value.map(String);
}

function findColumn(
  name: string,
  byName: ReadonlyMap<string, readonly JsonValue[]>,
  { field, names }: Frame,
): readonly JsonValue[] {
  const column = byName.get(name);
  if (column) return column;
  throw invalid(
    `Field "${field}" has no column ${JSON.stringify(name)}; its columns are ${describeNames(names)}.`,
  );
}

function describeNames(names: readonly string[] | undefined): string {
  if (!names) return 'without names';
  const shown = names.slice(0, 8).map((name) => JSON.stringify(name.slice(0, 40)));
  return `${shown.join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`;
}

/** Images stand in the only column, in base64. */
function decodeImages({ columns, field }: Frame, imageInput: string): NamedInputs {
  const [images = [], ...others] = columns;
  if (others.length > 0)
    throw invalid(`Field "${field}" has ${columns.length} columns; expected one with images.`);
  return new Map([
    [imageInput, imagesOf(images.map((cell, row) => decodeImageValue(cell, imageInput, `${field}[${row}]`)))],
  ]);
}

/** A cell as the datatype of its input needs it: numbers out of text, text out of whatever it is. */
function readCell(
  cell: JsonValue,
  { datatype }: TensorSpec,
  { isText, field }: Frame,
  column: string,
  row?: number,
): JsonValue {
  const { kind } = DATATYPES[datatype];
  if (kind === 'string') return typeof cell === 'number' || typeof cell === 'boolean' ? String(cell) : cell;
  if (!isText || typeof cell !== 'string') return cell;
  const text = cell.trim();
  if (kind === 'bool' && /^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  if (kind === 'float' && (text === '' || /^nan$/i.test(text))) return null;
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (kind === 'float' && infinite) return infinite[1] === '-' ? -Infinity : Infinity;
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return Number(text);
  const where = row === undefined ? column : `${column}, row ${row}`;
  throw invalid(`Field "${field}" (column ${where}) is ${describeJson(cell)}; expected a number.`);
}
