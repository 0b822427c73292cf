import { invalid } from '../errors.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';

/** One column a tabular model takes. */
export interface Feature {
  readonly name: string;
  readonly unit?: string | undefined;
  /** Smallest and largest value that makes sense; others are refused. */
  readonly range?: readonly [number, number] | undefined;
  readonly description?: string | undefined;
  /** Known from the graph where it is not given. */
  readonly type?: 'number' | 'string' | undefined;
  /** All values that make sense; others are refused. */
  readonly values?: readonly (string | number)[] | undefined;
}

/** What one column can hold. */
export interface Column {
  readonly type: 'number' | 'string';
  /** Smallest and largest number of a column of whole numbers only. */
  readonly integers?: readonly [number, number] | undefined;
  /** Magnitude from which on a number would reach the model as infinity. */
  readonly floatBound?: number | undefined;
  /** Whether the model takes true and false; 1 and 0 mean the same. */
  readonly isBoolean?: boolean;
  /** Whether `null` stands for a missing number, which the model is fed as NaN. */
  readonly canBeMissing?: boolean;
}

/** What a row must look like: named features, or only how many when the model names none (undefined: any number). */
export interface RowFormat {
  /** In the model's order, by distinct names. */
  readonly named: readonly Feature[] | undefined;
  readonly width: number | undefined;
  /** One for each value of a row, or a single one for them all. */
  readonly columns: readonly [Column, ...Column[]];
}

/** One value of a row: a string in columns of strings, a number in the others. */
export type Cell = string | number;

/**
 * Reads one row from its JSON form: a list in the model's order, or an object by feature name.
 *
 * @param field where the row stands in the request, such as `instances[2]`
 * @throws InferenceError naming the field, what came and what is expected
 */
export function parseRow(row: JsonValue | undefined, field: string, format: RowFormat): Cell[] {
  if (Array.isArray(row)) return parseList(row, field, format);
  if (isJsonObject(row) && format.named) return parseNamed(row, field, format.named, format);
  throw invalid(`Field "${field}" is ${describeJson(row)}; expected ${describeFormat(format)}.`);
}

/** What a row looks like, in words and with the feature names. */
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
    throw invalid(`Field "${field}" has ${row.length} values; expected ${describeFormat(format)}.`);
  }
  return row.map((value, index) =>
    parseCell(value, `${field}[${index}]`, format.named?.[index], columnAt(format.columns, index)),
  );
}

function parseNamed(row: JsonObject, field: string, features: readonly Feature[], format: RowFormat): Cell[] {
  checkNames(row, field, features, format);
  return features.map((feature, index) =>
    parseCell(row[feature.name], `${field}.${feature.name}`, feature, columnAt(format.columns, index)),
  );
}

/** As names are distinct, a row that lacks none and has as many as there are has no others. */
function checkNames(row: JsonObject, field: string, features: readonly Feature[], format: RowFormat): void {
  const missing = features.filter(({ name }) => !Object.hasOwn(row, name));
  const given = Object.keys(row);
  if (missing.length === 0 && given.length === features.length) return;
  const known = new Set(features.map(({ name }) => name));
  const unknown = given.filter((key) => !known.has(key));
  if (unknown.length > 0) {
    const listed = unknown.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 60)));
    throw invalid(
      `Field "${field}" has unknown features ${listed.join(', ')}; expected ${describeFormat(format)}.`,
    );
  }
  if (missing.length > 0) {
    const names = missing.map((feature) => `"${feature.name}"`).join(', ');
    throw invalid(`Field "${field}" lacks ${names}; expected ${describeFormat(format)}.`);
  }
}

function parseCell(
  value: JsonValue | undefined,
  path: string,
  feature: Feature | undefined,
  column: Column,
): Cell {
  const label = feature && !path.endsWith(`.${feature.name}`) ? ` (${feature.name})` : '';
  const field = `Field "${path}"${label}`;
  const cell =
    column.type === 'string' ? parseText(value, field) : parseNumber(value, field, feature, column);
  if (feature?.values && !feature.values.includes(cell)) {
    const known = feature.values.slice(0, 20).map((one) => JSON.stringify(one));
    const more = feature.values.length > known.length ? ', …' : '';
    throw invalid(`${field} is ${describeJson(cell)}; expected one of ${known.join(', ')}${more}.`);
  }
  return cell;
}

/** The runtime takes strings as UTF-8 without NUL: it would cut them there in silence. */
function parseText(value: JsonValue | undefined, field: string): string {
  if (typeof value !== 'string') throw invalid(`${field} is ${describeJson(value)}; expected a string.`);
  if (value.includes('\0')) throw invalid(`${field} has a NUL character, which strings cannot hold.`);
  if (!value.isWellFormed()) throw invalid(`${field} has half of a surrogate pair.`);
  return value;
}

function parseNumber(
  value: JsonValue | undefined,
  field: string,
  feature: Feature | undefined,
  { integers, floatBound, isBoolean = false, canBeMissing = false }: Column,
): number {
  if (isBoolean && typeof value === 'boolean') return Number(value);
  if (canBeMissing && value === null) return Number.NaN;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    const found = typeof value === 'number' ? String(value) : describeJson(value);
    const wanted = isBoolean ? 'true or false' : `a finite number${canBeMissing ? ' or null' : ''}`;
    throw invalid(`${field} is ${found}; expected ${wanted}.`);
  }
  if (floatBound !== undefined && Math.abs(value) >= floatBound) {
    throw invalid(`${field} is ${value}; the model takes numbers below ${floatBound}.`);
  }
  if (integers && !(Number.isInteger(value) && value >= integers[0] && value <= integers[1])) {
    throw invalid(`${field} is ${value}; expected a whole number from ${integers[0]} to ${integers[1]}.`);
  }
  if (feature?.range) {
    const [low, high] = feature.range;
    if (value < low || value > high) {
      const unit = feature.unit ? ` ${feature.unit}` : '';
      throw invalid(`${field} is ${value}; expected a number from ${low} to ${high}${unit}.`);
    }
  }
  return value;
}
