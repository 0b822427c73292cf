/** Text that is JSON already, for numbers that need other digits than JavaScript would write. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What can be written as JSON. A `Map` becomes an object whose keys keep their order, digits included. */
export type WritableJson =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | JsonText
  | readonly WritableJson[]
  | ReadonlyMap<string, WritableJson>
  | { readonly [key: string]: WritableJson };

/**
 * Writes JSON text. Unlike `JSON.stringify` it prints `bigint` with all digits and takes maps: a plain object would
 * move keys such as "7" in front of all others. Non-finite numbers become `null`, undefined members are left out.
 */
export function writeJson(value: WritableJson): string {
  if (value === undefined) return 'null';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof JsonText) return value.text;
  if (isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  const entries = value instanceof Map ? value.entries() : Object.entries(value);
  const members: string[] = [];
  for (const [key, member] of entries) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${writeJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

/** `Array.isArray` does not narrow a readonly array by itself. */
function isArray(value: object): value is readonly WritableJson[] {
  return Array.isArray(value);
}
