import { memoize } from '../memo.ts';

/** What a list can be made from: pairs, an object, or other headers. */
export type HeaderListInit = ConstructorParameters<typeof Headers>[0];

/** A field name is a token. Source: RFC 9110, section 5.1. */
const NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
/** What a field value cannot hold, in addition to characters of more than one byte. Source: Fetch, section 2.2.2. */
const FORBIDDEN = ['\0', '\n', '\r'];

/**
 * Headers of the Fetch standard, in a map. The built-in ones take several times as long to create and to look up, and
 * every request does that a dozen times.
 *
 * @throws TypeError for a name or a value that a header cannot have
 */
export class HeaderList implements Headers {
  readonly #values = new Map<string, string>();
  /** The only ones that must not be joined. */
  #cookies: string[] = [];

  constructor(init?: HeaderListInit) {
    if (init === undefined) return;
    if (Symbol.iterator in init) {
      for (const [name = '', value = ''] of init) this.append(name, value);
    } else {
      for (const name of Object.keys(init)) this.append(name, init[name] ?? '');
    }
  }

  /** The headers as Node's parser gives them, names and values in turn. It has checked them already. */
  static ofRaw(raw: readonly string[]): HeaderList {
    const list = new HeaderList();
    for (let i = 0; i + 1 < raw.length; i += 2) list.#add((raw[i] ?? '').toLowerCase(), raw[i + 1] ?? '');
    return list;
  }

  #add(key: string, value: string): void {
    if (key === COOKIE) this.#cookies.push(value);
    const present = this.#values.get(key);
    this.#values.set(key, present === undefined ? value : `${present}, ${value}`);
  }

  append(name: string, value: string): void {
    const key = checkedKey(name);
    this.#add(key, checkedValue(name, value));
  }

  delete(name: string): void {
    const key = checkedKey(name);
    if (key === COOKIE) this.#cookies = [];
    this.#values.delete(key);
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase()) ?? null;
  }

  getSetCookie(): string[] {
    return [...this.#cookies];
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  set(name: string, value: string): void {
    const key = checkedKey(name);
    const text = checkedValue(name, value);
    if (key === COOKIE) this.#cookies = [text];
    this.#values.set(key, text);
  }

  forEach(callback: (value: string, key: string, parent: Headers) => void, thisArg?: unknown): void {
    for (const [key, value] of this) callback.call(thisArg, value, key, this);
  }

  /** All in the order in which they were set: sorting them takes longer than sending them. */
  unsorted(): Iterable<[string, string]> {
    return this.#cookies.length === 0 ? this.#values : this.#sorted();
  }

  entries(): ReturnType<Headers['entries']> {
    return this.#sorted().values();
  }

  keys(): ReturnType<Headers['keys']> {
    return this.#sorted()
      .map(([key]) => key)
      .values();
  }

  values(): ReturnType<Headers['values']> {
    return this.#sorted()
      .map(([, value]) => value)
      .values();
  }

  [Symbol.iterator](): ReturnType<Headers['entries']> {
    return this.entries();
  }

  #sorted(): [string, string][] {
    const pairs = [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
    if (this.#cookies.length === 0) return pairs;
    return pairs.flatMap(([key, value]): [string, string][] =>
      key === COOKIE ? this.#cookies.map((cookie) => [key, cookie]) : [[key, value]],
    );
  }
}

const COOKIE = 'set-cookie';

/** Headers to send, in any order. */
export function pairsOf(headers: Headers): Iterable<[string, string]> {
  return headers instanceof HeaderList ? headers.unsorted() : headers;
}

const checkedKey = memoize((name) => {
  if (!NAME.test(name)) throw new TypeError(`${JSON.stringify(name)} is not a header name`);
  return name.toLowerCase();
});

/** Printable ASCII without spaces around it: nearly all values. */
const PLAIN = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;

function checkedValue(name: string, value: string): string {
  if (PLAIN.test(value)) return value;
  const text = trim(value);
  if (FORBIDDEN.some((character) => text.includes(character)) || /[\u0100-\uffff]/.test(text))
    throw new TypeError(`header ${name} has a value that no header can have`);
  return text;
}

/** Source: Fetch, section 2.2.2, "normalize". A pattern would look at the spaces within a value again and again. */
function trim(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isSpace(value[start])) start++;
  while (end > start && isSpace(value[end - 1])) end--;
  return value.slice(start, end);
}

function isSpace(character: string | undefined): boolean {
  return character === '\t' || character === '\n' || character === '\r' || character === ' ';
}
