import { memoize } from '../memo.ts';
import { checkAnswerSize, joinEach } from './join-each.ts';

/** Text that is JSON already, for numbers whose digits differ from those that JavaScript would write. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value that can be written as JSON. A `Map` becomes an object whose keys keep their order, even keys of digits. */
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
 *
 * @param limitBytes most bytes of the text; no limit by default
 * @throws InferenceError PAYLOAD_TOO_LARGE naming MAX_ANSWER_BYTES as soon as a part of it is longer
 */
export function writeJson(value: WritableJson, limitBytes = Number.POSITIVE_INFINITY): string {
  switch (typeof value) {
    case 'undefined':
      return 'null';
    case 'string':
      return writeString(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'bigint':
    case 'boolean':
      return value.toString();
    default:
      return value === null ? 'null' : writeObject(value, limitBytes);
  }
}

function writeObject(value: Exclude<WritableJson & object, null>, limitBytes: number): string {
  if (value instanceof JsonText) return value.text;
  if (isArray(value)) return writeItems(value, (item) => item, limitBytes).text;
  let members = '';
  const add = (key: string, member: WritableJson) => {
    if (member === undefined) return;
    members += (members === '' ? writeKey(key) : `,${writeKey(key)}`) + writeJson(member, limitBytes);
    checkAnswerSize(members.length, limitBytes);
  };
  if (isMap(value)) for (const [key, member] of value) add(key, member);
  else for (const key of Object.keys(value)) add(key, value[key]);
  return `{${members}}`;
}

/** `instanceof` does not narrow a readonly map by itself. */
function isMap(value: object): value is ReadonlyMap<string, WritableJson> {
  return value instanceof Map;
}

/**
 * Writes an array with what is made from each item. Each is written before the next is made, so that a long answer
 * takes no more memory than its text.
 *
 * @throws InferenceError PAYLOAD_TOO_LARGE naming MAX_ANSWER_BYTES as soon as the text is longer
 */
export function writeItems<T>(
  items: readonly T[],
  encode: (item: T, index: number) => WritableJson,
  limitBytes: number,
): JsonText {
  const write = (index: number) => {
    const item = items[index];
    return item === undefined ? 'null' : writeJson(encode(item, index), limitBytes);
  };
  return new JsonText(`[${joinEach(0, items.length, write, limitBytes)}]`);
}

/** Names of members with their colon. Answers have the same few again and again: their own words, and labels. */
export const writeKey = memoize((key) => `${writeString(key)}:`);

/** Characters that must be escaped in a string: half a surrogate pair would not survive UTF-8. */
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u;

/** Most strings are short words: setting up the built-in writer takes several times as long as checking them. */
function writeString(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** `Array.isArray` does not narrow a readonly array by itself. */
function isArray(value: object): value is readonly WritableJson[] {
  return Array.isArray(value);
}
