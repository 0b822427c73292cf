/** `bigint` only where `parseExactJson` found a whole number that a number cannot hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonValue[]
  | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is an object with this one member and no other. */
export function hasOnly(value: JsonValue | undefined, key: string): value is JsonObject {
  return isJsonObject(value) && Object.hasOwn(value, key) && Object.keys(value).length === 1;
}

/** How much of a value an error shows. */
const SHOWN = 40;

/** Names a JSON value for an error message: its type and, when short, the value itself. */
export function describeJson(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return `an object with ${describeKeys(value)}`;
  // Only the part of a long string that is shown is written: with escapes the whole could take six times its size.
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, SHOWN + 1)) : String(value);
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return `the ${typeof value === 'bigint' ? 'number' : typeof value} ${shown}`;
}

function describeKeys(value: object): string {
  const keys = Object.keys(value);
  if (keys.length === 0) return 'no keys';
  const shown = keys.slice(0, 8).map((key) => JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key));
  return `the keys ${shown.join(', ')}${keys.length > 8 ? ` and ${keys.length - 8} more` : ''}`;
}
