import { invalid } from '../errors.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { type Cell, type Column, checkCell, checkLength, isFloat, isMissing } from './cell.ts';

/** One column a tabular model takes. */
export interface Feature {
  readonly name: string;
  readonly unit?: string | undefined;
  /** Smallest and largest value that makes sense; others are refused. */
  readonly range?: readonly [number, number] | undefined;
  readonly description?: string | undefined;
  /** If it is missing, the graph says it. */
  readonly type?: 'number' | 'string' | undefined;
  /** Fewest characters of a text; shorter ones are refused. */
  readonly minLength?: number | undefined;
  /** All values that make sense; others are refused. */
  readonly values?: readonly (string | number)[] | undefined;
}

/** The format of a row: named features, or only their number if the model has no names (undefined: any number). */
export interface RowFormat {
  /** In the model's order, by distinct names. */
  readonly named: readonly Feature[] | undefined;
  readonly width: number | undefined;
  /** One for each value of a row, or a single one for them all. */
  readonly columns: readonly [Column, ...Column[]];
}

/**
 * Reads one row from its JSON form: a list in the model's order, or an object by feature name.
 *
 * @param field where the row stands in the request, such as `instances[2]`
 * @throws InferenceError naming the field, what came and what is expected
 */
export function parseRow(row: JsonValue | undefined, field: string, format: RowFormat): Cell[] {
  if (Array.isArray(row)) return parseList(row, field, format);
  if (isJsonObject(row) && format.named) return parseNamed(row, field, format.named, format);
  throw invalid(`Field "${field}"`, `is ${describeJson(row)}; expected ${describeFormat(format)}.`);
}

/** The format of a row in words, with the feature names. */
export function describeFormat({ named, width, columns }: RowFormat): string {
  const types = new Set(columns.map(({ type }) => type));
  const what = types.size > 1 ? 'values' : types.has('string') ? 'strings' : 'numbers';
  if (named) {
    const names = named.map(({ name }, index) =>
      types.size > 1 ? `${name}: ${columnAt(columns, index).type}` : name,
    );
    return `${named.length} ${what} (${names.join(', ')}) as a list or as an object by name`;
  }
  return width === undefined ? `a list of ${what}` : `a list of ${width} ${what}`;
}

/** The column that a value of a row stands in. */
export function columnAt(columns: RowFormat['columns'], index: number): Column {
  return columns[index] ?? columns[0];
}

function parseList(row: JsonValue[], field: string, format: RowFormat): Cell[] {
  const width = format.named?.length ?? format.width;
  if (width !== undefined && row.length !== width) {
    throw invalid(
      `Field "${field}"`,
      `has ${row.length === 1 ? '1 value' : `${row.length} values`}; expected ${describeFormat(format)}.`,
    );
  }
  return row.map((value, index) => {
    const feature = format.named?.[index];
    const column = columnAt(format.columns, index);
    return isOrdinary(value, feature, column)
      ? value
      : parseCell(value, `${field}[${index}]`, feature, column);
  });
}

function parseNamed(row: JsonObject, field: string, features: readonly Feature[], format: RowFormat): Cell[] {
  checkNames(row, field, features, format);
  return features.map((feature, index) => {
    const value = row[feature.name];
    const column = columnAt(format.columns, index);
    if (isOrdinary(value, feature, column)) return value;
    return parseCell(value, `${field}.${feature.name}`, feature, column);
  });
}

/** Names are distinct, so a row that has every feature and the right number of members has no others. */
function checkNames(row: JsonObject, field: string, features: readonly Feature[], format: RowFormat): void {
  const missing = features.filter(({ name }) => !Object.hasOwn(row, name));
  const given = Object.keys(row);
  if (missing.length === 0 && given.length === features.length) return;
  const known = new Set(features.map(({ name }) => name));
  const unknown = given.filter((key) => !known.has(key));
  if (unknown.length > 0) {
    const listed = unknown.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 60)));
    throw invalid(
      `Field "${field}"`,
      `has unknown features ${listed.join(', ')}; expected ${describeFormat(format)}.`,
    );
  }
  if (missing.length > 0) {
    const names = missing.map((feature) => `"${feature.name}"`).join(', ');
    throw invalid(`Field "${field}"`, `lacks ${names}; expected ${describeFormat(format)}.`);
  }
}

/** Whether a value is a number that its column takes. Most are, and their checks need no name for an error. */
function isOrdinary(
  value: JsonValue | undefined,
  feature: Feature | undefined,
  column: Column,
): value is number {
  if (typeof value !== 'number' || !isFloat(column) || feature?.values) return false;
  if (!(Math.abs(value) < (column.floatBound ?? Number.POSITIVE_INFINITY))) return false;
  const range = feature?.range;
  return range === undefined || (value >= range[0] && value <= range[1]);
}

function parseCell(
  value: JsonValue | undefined,
  path: string,
  feature: Feature | undefined,
  column: Column,
): Cell {
  const label = feature && !path.endsWith(`.${feature.name}`) ? ` (${feature.name})` : '';
  const field = `Field "${path}"${label}`;
  // What is said about an empty text says what to send in place of a missing one too.
  const needsText = feature?.minLength !== undefined;
  const cell = checkCell(needsText && isMissing(value) ? '' : value, column, field);
  if (typeof cell !== 'string') {
    checkRange(cell, feature, field);
    return cell;
  }
  checkLength(cell, feature?.minLength, field);
  checkKnown(cell, feature, field);
  return cell;
}

function checkKnown(cell: Cell, feature: Feature | undefined, field: string): void {
  if (!feature?.values || feature.values.some((known) => known === cell)) return;
  const known = feature.values.slice(0, 20).map((one) => JSON.stringify(one));
  const more = feature.values.length > known.length ? ', …' : '';
  throw invalid(field, `is ${describeJson(cell)}; expected one of ${known.join(', ')}${more}.`);
}

function checkRange(cell: number | bigint, feature: Feature | undefined, field: string): void {
  checkKnown(cell, feature, field);
  if (!feature?.range || Number.isNaN(cell)) return;
  const [low, high] = feature.range;
  if (cell >= low && cell <= high) return;
  const unit = feature.unit ? ` ${feature.unit}` : '';
  throw invalid(field, `is ${cell}; expected a number from ${low} to ${high}${unit}.`);
}
