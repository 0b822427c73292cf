import { invalid } from '../errors.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../json/parse-json.ts';

/** One column a tabular model takes. */
export interface Feature {
  readonly name: string;
  readonly unit?: string | undefined;
  /** Smallest and largest value that makes sense; others are refused. */
  readonly range?: readonly [number, number] | undefined;
  readonly description?: string | undefined;
}

/** What a row must look like: named features, or only how many when the model names none (undefined: any number). */
export interface RowFormat {
  readonly features: readonly Feature[] | undefined;
  readonly width: number | undefined;
  /** Smallest and largest number of a model that takes whole numbers only. */
  readonly integers: readonly [number, number] | undefined;
  /** Magnitude from which on a number would reach the model as infinity. */
  readonly floatBound?: number | undefined;
}

/**
 * Reads one row of numbers from its JSON form: a list in the model's order, or an object by feature name.
 *
 * @param field where the row stands in the request, such as `instances[2]`
 * @throws InferenceError naming the field, what came and what is expected
 */
export function parseRow(row: JsonValue | undefined, field: string, format: RowFormat): number[] {
  if (Array.isArray(row)) return parseList(row, field, format);
  if (isJsonObject(row) && format.features) return parseNamed(row, field, format.features, format);
  throw invalid(`Field "${field}" is ${describeJson(row)}; expected ${describeFormat(format)}.`);
}

/** What a row looks like, in words and with the feature names. */
export function describeFormat({ features, width }: RowFormat): string {
  if (features) {
    const names = features.map((feature) => feature.name).join(', ');
    return `${features.length} numbers (${names}) as a list or as an object by name`;
  }
  return width === undefined ? 'a list of numbers' : `a list of ${width} numbers`;
}

function parseList(row: JsonValue[], field: string, format: RowFormat): number[] {
  const width = format.features?.length ?? format.width;
  if (width !== undefined && row.length !== width) {
    throw invalid(`Field "${field}" has ${row.length} values; expected ${describeFormat(format)}.`);
  }
  return row.map((value, index) =>
    parseNumber(value, `${field}[${index}]`, format.features?.[index], format),
  );
}

function parseNamed(
  row: JsonObject,
  field: string,
  features: readonly Feature[],
  format: RowFormat,
): number[] {
  const unknown = Object.keys(row).filter((key) => !features.some((feature) => feature.name === key));
  if (unknown.length > 0) {
    const listed = unknown.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 60)));
    throw invalid(
      `Field "${field}" has unknown features ${listed.join(', ')}; expected ${describeFormat(format)}.`,
    );
  }
  const missing = features.filter((feature) => !Object.hasOwn(row, feature.name));
  if (missing.length > 0) {
    const names = missing.map((feature) => `"${feature.name}"`).join(', ');
    throw invalid(`Field "${field}" lacks ${names}; expected ${describeFormat(format)}.`);
  }
  return features.map((feature) =>
    parseNumber(row[feature.name], `${field}.${feature.name}`, feature, format),
  );
}

function parseNumber(
  value: JsonValue | undefined,
  field: string,
  feature: Feature | undefined,
  { integers, floatBound }: RowFormat,
): number {
  const label = feature && !field.endsWith(`.${feature.name}`) ? ` (${feature.name})` : '';
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    const found = typeof value === 'number' ? String(value) : describeJson(value);
    throw invalid(`Field "${field}"${label} is ${found}; expected a finite number.`);
  }
  if (floatBound !== undefined && Math.abs(value) >= floatBound) {
    throw invalid(`Field "${field}"${label} is ${value}; the model takes numbers below ${floatBound}.`);
  }
  if (integers && !(Number.isInteger(value) && value >= integers[0] && value <= integers[1])) {
    const expected = `a whole number from ${integers[0]} to ${integers[1]}`;
    throw invalid(`Field "${field}"${label} is ${value}; expected ${expected}.`);
  }
  if (feature?.range) {
    const [low, high] = feature.range;
    if (value < low || value > high) {
      const unit = feature.unit ? ` ${feature.unit}` : '';
      throw invalid(`Field "${field}"${label} is ${value}; expected a number from ${low} to ${high}${unit}.`);
    }
  }
  return value;
}
