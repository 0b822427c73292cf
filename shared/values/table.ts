import type { Limits } from '../config.ts';
import { invalid } from '../errors.ts';
import { describeJson, isJsonObject, type JsonValue } from '../json/json-value.ts';
import { keysInOrder } from '../json/member-order.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { columnOf, isMissing, readText } from './cell.ts';
import { describeInputs, type ModelContract, type TextInput } from './contract.ts';
import { decodeImageValue } from './image-value.ts';
import { checkInstances, decodeRows, imagesOf, takesJson } from './instances.ts';
import type { NamedInputs } from './named-inputs.ts';
import { parseTensorValues } from './nested-values.ts';
import { REFUSED_VALUES } from './refused-values.ts';
import { decodeTextRows } from './text-inputs.ts';
import { findPair, findTextName } from './text-value.ts';

/** A table as it came: columns in their order, all of one length. */
export interface Table {
  /** By name; tables without names have `undefined` here and go by order. */
  readonly names: readonly string[] | undefined;
  readonly columns: readonly (readonly JsonValue[])[];
  /** Where it stands in the request, for errors. */
  readonly field: string;
  /** Whether numbers may be written as text, as in CSV. */
  readonly isText: boolean;
  /** The first row that has a column which the first row lacks. It counts only where columns go by their order. */
  readonly surplus?: { readonly name: string; readonly field: string } | undefined;
}

/**
 * The tensors of a table. Columns named like the inputs become one tensor each; without names they are taken in the
 * order of the inputs. For a model with one input the columns stand side by side in it: by the names of its features if
 * the config has them, otherwise in the order they came. For a text model one column has the texts, or two the pairs.
 * Source: how MLflow's ONNX flavour takes a data frame.
 *
 * @throws InferenceError naming the column or cell, what came and what is expected
 */
export function decodeTable(table: Table, contract: ModelContract, limits: Limits): NamedInputs {
  const { columns, field } = table;
  const rows = columns[0]?.length ?? 0;
  if (rows === 0) throw invalid(`Field "${field}"`, 'has no rows; expected at least one.');
  checkInstances(rows, field, limits);
  const { inputs, imageInput, textInput } = contract;
  if (imageInput !== undefined) return decodeImages(table, imageInput);
  if (takesJson(contract)) return decodeRows(instancesOf(table), field, contract, limits);
  const texts = textInput && findTexts(table, contract, textInput);
  if (textInput && texts) return decodeTextRows(texts, textInput, field);
  const isInOrder = inputs.length > 1 && isUnnamed(table) && columns.length === inputs.length;
  const names = isInOrder ? inputs.map(({ name }) => name) : table.names;
  const byName = new Map(names?.map((name, index) => [name, columns[index] ?? []]));
  if (inputs.every(({ name }) => byName.has(name))) {
    return new Map(
      inputs.map((spec) => [
        spec.name,
        decodeColumn(byName.get(spec.name) ?? [], spec, table, spec.name, limits),
      ]),
    );
  }
  const { features } = contract;
  const isByName = features && table.names && !isUnnamed(table);
  if (!isByName) checkSurplus(table);
  const ordered = isByName ? features.map((name) => findColumn(name, byName, table)) : columns;
  const [only, ...others] = inputs;
  if (only && others.length === 0) return new Map([[only.name, decodeMatrix(ordered, only, table, limits)]]);
  const widths = inputs.map((spec) => widthOf(spec) ?? Number.NaN);
  const isKnown = isByName === true || isUnnamed(table);
  if (!isKnown || ordered.length !== widths.reduce((total, width) => total + width, 0)) {
    throw invalid(
      `Field "${field}"`,
      `has the columns ${describeNames(names)}; expected one per input: ${describeInputs(contract)}.`,
    );
  }
  return decodeInOrder(ordered, isByName ? features : undefined, widths, inputs, table, limits);
}

/** The rows as own code gets them: objects by the names of the columns, or lists. */
export function instancesOf(table: Table): JsonValue[] {
  const { columns, isText } = table;
  const names = isUnnamed(table) ? undefined : table.names;
  const read = (cell: JsonValue) => (isText && typeof cell === 'string' ? readJsonNumber(cell) : cell);
  return (columns[0] ?? []).map((_, row) => {
    const cells = columns.map((column) => read(column[row] ?? null));
    if (names === undefined) return cells;
    return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? null]));
  });
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * A cell of CSV that is written as a number of JSON is one, and an empty cell is a missing one. `007` and whole numbers
 * beyond 2^53 stay texts: they are rather the number of something.
 */
export function readJsonNumber(cell: string): JsonValue {
  if (cell === '') return null;
  if (!JSON_NUMBER.test(cell)) return cell;
  const number = Number(cell);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? cell : number;
}

/**
 * Features with other names than the inputs of the graph, which stand in the order of the inputs: skl2onnx makes
 * `monthly_fee` of a column `monthly fee`.
 */
function decodeInOrder(
  columns: readonly Column[],
  names: readonly string[] | undefined,
  widths: readonly number[],
  inputs: readonly TensorSpec[],
  table: Table,
  limits: Limits,
): NamedInputs {
  let start = 0;
  return new Map(
    inputs.map((spec, index) => {
      const end = start + (widths[index] ?? 0);
      const own = columns.slice(start, end);
      const ownNames = names?.slice(start, end);
      start = end;
      const [first = [], ...more] = own;
      const tensor =
        more.length === 0
          ? decodeColumn(first, spec, table, ownNames?.[0] ?? spec.name, limits)
          : decodeMatrix(own, spec, { ...table, names: ownNames }, limits);
      return [spec.name, tensor];
    }),
  );
}

function decodeColumn(column: Column, spec: TensorSpec, table: Table, name: string, limits: Limits): Tensor {
  const cells = readColumn(column, spec, table);
  checkColumn(cells, spec, table, name, cells);
  return parseTensorValues(cells, spec, `${table.field}.${name}`, limits);
}

/** Columns side by side. If a model takes more axes, each row must have as many cells as these hold. */
function decodeMatrix(
  columns: readonly (readonly JsonValue[])[],
  spec: TensorSpec,
  table: Table,
  limits: Limits,
): Tensor {
  const { field, names } = table;
  const [, ...axes] = spec.shape;
  const width = widthOf(spec);
  const isFlat = columns.every((column) => !Array.isArray(column[0]));
  if (isFlat && width !== undefined && columns.length !== width) {
    throw invalid(`Field "${field}"`, `has ${columns.length} columns; the model takes ${width}.`);
  }
  const read = columns.map((column) => readColumn(column, spec, table));
  const lists = (columns[0] ?? []).map((_, row) => read.map((column) => column[row] ?? null));
  for (const [index, column] of read.entries()) {
    checkColumn(column, spec, table, names?.[index] ?? String(index + 1), lists);
  }
  const tensor = parseTensorValues(lists, spec, field, limits);
  return isFlat && width !== undefined ? { ...tensor, shape: [lists.length, ...axes] } : tensor;
}

/** How many numbers a row of an input has; undefined if the graph leaves it open. */
export function widthOf({ shape, isRankDynamic }: TensorSpec): number | undefined {
  const [, ...axes] = shape;
  return axes.includes(-1) || isRankDynamic ? undefined : elementCount(axes);
}

/**
 * Checks the width of a row of a table without names against the model's only input, before columns are made from it: a
 * line of commas has a million columns.
 *
 * @throws InferenceError
 */
export function checkWidth(
  cells: readonly string[],
  { inputs, imageInput, textInput }: ModelContract,
  field: string,
): void {
  if (takesJson({ inputs })) return;
  // A text is always one cell, however the graph uses it; other rows may be tokens.
  if (textInput && (cells.length === 1 || cells.some((cell) => Number.isNaN(Number(cell))))) return;
  const [only, ...others] = inputs;
  const width = only && others.length === 0 && imageInput === undefined ? widthOf(only) : undefined;
  if (width === undefined || cells.length === width) return;
  throw invalid(`Field "${field}"`, `has ${cells.length} columns; the model takes ${width}.`);
}

/** The cells of a column as its input takes them: numbers from text, and text from any value. */
function readColumn(cells: readonly JsonValue[], spec: TensorSpec, { isText }: Table): JsonValue[] {
  const column = columnOf(spec);
  if (column.type === 'string') return cells.map(toText);
  if (!isText) return [...cells];
  return cells.map((cell) => (typeof cell === 'string' ? readText(cell, column) : cell));
}

/**
 * @param values the whole input that the column is a part of
 * @throws InferenceError for a text that is not a value of its column
 */
function checkColumn(
  cells: readonly JsonValue[],
  spec: TensorSpec,
  { field, isText }: Table,
  name: string,
  values: JsonValue[],
): void {
  if (!isText || spec.datatype === 'BYTES') return;
  const index = cells.findIndex((cell) => typeof cell === 'string');
  const cell = cells[index];
  if (cell === undefined) return;
  const where = cells.length === 1 ? '' : `, row ${index + 1}`;
  const error = invalid(
    `Field "${field}" (column ${name}${where}) is ${describeJson(cell)}; expected a number.`,
  );
  REFUSED_VALUES.set(error, { [spec.name]: values });
  throw error;
}

/** pandas numbers the columns of a table without names. */
export function isUnnamed({ names }: Table): boolean {
  return names?.every((name, index) => name === String(index)) ?? true;
}

/**
 * Checks a table whose columns go by their order.
 *
 * @throws InferenceError when a row has a column that the first row lacks
 */
export function checkSurplus({ surplus }: Table): void {
  if (!surplus) return;
  throw invalid(
    `Field "${surplus.field}"`,
    `has the column ${JSON.stringify(surplus.name.slice(0, 100))}, which the first row lacks.`,
  );
}

/** A data table of rows that are objects, as pandas writes `records`. */
export function tableOfRecords(value: JsonValue | undefined, field: string): Table {
  if (!Array.isArray(value)) {
    throw invalid(
      `Field "${field}"`,
      `is ${describeJson(value)}; expected an array of objects, one per row.`,
    );
  }
  const [first] = value;
  const names = isJsonObject(first) ? keysInOrder(first) : [];
  const columns = names.map((): JsonValue[] => []);
  let surplus: Table['surplus'];
  for (const [row, record] of value.entries()) {
    if (!isJsonObject(record)) {
      throw invalid(
        `Field "${field}[${row}]"`,
        `is ${describeJson(record)}; expected an object of column and value.`,
      );
    }
    for (const [index, name] of names.entries()) {
      const cell = Object.hasOwn(record, name) ? record[name] : undefined;
      if (cell === undefined)
        throw invalid(`Field "${field}[${row}]"`, `lacks the column ${JSON.stringify(name)}.`);
      columns[index]?.push(cell);
    }
    if (surplus) continue;
    const given = Object.keys(record);
    const name = given.length === names.length ? undefined : given.find((each) => !names.includes(each));
    if (name !== undefined) surplus = { name, field: `${field}[${row}]` };
  }
  return { names, columns, field, isText: false, surplus };
}

/** A data table as pandas writes `split`: `{"columns": […], "data": [[…], …]}`, with an `index` that says nothing here. */
export function tableOfSplit(value: JsonValue | undefined, field: string): Table {
  if (!isJsonObject(value) || !Array.isArray(value.data)) {
    throw invalid(
      `Field "${field}"`,
      `is ${describeJson(value)}; expected {"columns": […], "data": [[…], …]}.`,
    );
  }
  const names = value.columns === undefined ? undefined : readNames(value.columns, `${field}.columns`);
  const width = names?.length ?? (Array.isArray(value.data[0]) ? value.data[0].length : 1);
  const columns = Array.from({ length: width }, (): JsonValue[] => []);
  for (const [index, row] of value.data.entries()) {
    const cells = Array.isArray(row) ? row : [row];
    if (cells.length !== width) {
      throw invalid(`Field "${field}.data[${index}]"`, `has ${cells.length} cells; expected ${width}.`);
    }
    for (const [column, cell] of cells.entries()) columns[column]?.push(cell);
  }
  return { names, columns, field, isText: false };
}

/** A table as an object of columns, each a list. */
export function tableOfColumns(value: JsonValue | undefined, field: string, isText = false): Table {
  if (!isJsonObject(value)) {
    throw invalid(`Field "${field}"`, `is ${describeJson(value)}; expected an object of columns.`);
  }
  const names = keysInOrder(value);
  const columns = names.map((name) => {
    const cells = value[name];
    if (Array.isArray(cells)) return cells;
    throw invalid(`Field "${field}.${name}"`, `is ${describeJson(cells)}; expected an array.`);
  });
  const [first] = columns;
  const uneven = columns.findIndex((column) => column.length !== first?.length);
  if (uneven !== -1) {
    throw invalid(
      `Field "${field}.${names[uneven]}"`,
      `has ${columns[uneven]?.length} values; "${names[0]}" has ${first?.length}.`,
    );
  }
  return { names, columns, field, isText };
}

function readNames(value: JsonValue, field: string): readonly string[] {
  if (!Array.isArray(value))
    throw invalid(`Field "${field}"`, `is ${describeJson(value)}; expected an array.`);
  const names = value.map((name, index) => {
    // pandas numbers the columns of a table without names.
    if (['string', 'number', 'boolean'].includes(typeof name)) return String(name);
    throw invalid(`Field "${field}[${index}]"`, `is ${describeJson(name)}; expected the name of a column.`);
  });
  return distinctNames(names, field);
}

/** @throws InferenceError when two columns have one name */
export function distinctNames(names: readonly string[], field: string): readonly string[] {
  const seen = new Set<string>();
  const repeated = names.find((name) => seen.size === seen.add(name).size);
  if (repeated === undefined) return names;
  throw invalid(`Field "${field}"`, `has the column ${JSON.stringify(repeated.slice(0, 100))} twice.`);
}

/** @throws InferenceError that lists the columns of the table */
export function findColumn(
  name: string,
  byName: ReadonlyMap<string, readonly JsonValue[]>,
  { field, names }: Table,
): readonly JsonValue[] {
  const column = byName.get(name);
  if (column) return column;
  throw invalid(
    `Field "${field}"`,
    `has no column ${JSON.stringify(name)}; its columns are ${describeNames(names)}.`,
  );
}

function describeNames(names: readonly string[] | undefined): string {
  if (!names) return 'without names';
  const shown = names.slice(0, 8).map((name) => JSON.stringify(name.slice(0, 40)));
  return `${shown.join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`;
}

type Column = readonly JsonValue[];

/**
 * The texts of a table, one or a pair for each row: those of the only column under any name, of the one or two columns
 * with the usual names of texts, or of two columns without names. Undefined if the table has the inputs of the graph.
 */
function findTexts(
  table: Table,
  { inputs }: ModelContract,
  { isPrepared }: TextInput,
): JsonValue[] | undefined {
  if (inputs.every(({ name }) => table.names?.includes(name))) return undefined;
  const [texts, pairs] = table.columns.length === 1 || !isPrepared ? table.columns : namedTexts(table);
  const areTexts = [texts, pairs ?? texts].every((column) => table.isText || isText(column?.[0]));
  if (!texts || !areTexts || (pairs && !isPrepared)) return undefined;
  return texts.map((text, row) => (pairs ? [toText(text), toText(pairs[row])] : toText(text)));
}

/**
 * @throws InferenceError for CSV without names in which a text has a comma: its two cells must not be taken for a pair
 */
function namedTexts(table: Table): readonly Column[] {
  const { names = [], columns, field, isText } = table;
  if (isUnnamed(table)) {
    if (isText && columns.some(([cell]) => Number.isNaN(Number(cell)))) {
      throw invalid(
        `Field "${field}"`,
        `has ${columns.length} cells; put a text with a comma in quotes; pairs of texts need names in the first row.`,
      );
    }
    return !isText && columns.length === 2 ? columns : [];
  }
  const found = findPair(names) ?? [findTextName(names) ?? ''];
  return found.flatMap((name) => [columns[names.indexOf(name)] ?? []]);
}

/** A text that is missing is reported as one. */
function isText(cell: JsonValue | undefined): boolean {
  return typeof cell === 'string' || cell === null;
}

/** pandas has numbers and truth values in columns of texts, and NaN where a text is missing. */
function toText(cell: JsonValue = null): JsonValue {
  if (isMissing(cell)) return null;
  return typeof cell === 'number' || typeof cell === 'boolean' ? String(cell) : cell;
}

/** Images stand in the only column, in base64. */
function decodeImages({ columns, field }: Table, imageInput: string): NamedInputs {
  const [images = [], ...others] = columns;
  if (others.length > 0)
    throw invalid(`Field "${field}"`, `has ${columns.length} columns; expected one with images.`);
  return new Map([
    [imageInput, imagesOf(images.map((cell, row) => decodeImageValue(cell, imageInput, `${field}[${row}]`)))],
  ]);
}
