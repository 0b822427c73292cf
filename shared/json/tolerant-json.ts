import { InferenceError } from '../errors.ts';
import type { JsonObject, JsonValue } from './json-value.ts';
import { keepOrder, WHOLE_NUMBER } from './member-order.ts';
import { readStringAt } from './string-at.ts';

/** Words that some clients write for numbers that JSON cannot express. */
const NON_FINITE: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['Inf', Number.POSITIVE_INFINITY],
  ['-Inf', Number.NEGATIVE_INFINITY],
]);

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /-?[A-Za-z]+/y;
/** Numbers, the bare words among them and what stands between them, as far as a comma or the end of the array. */
const NUMBERS = /[-+0-9.eE, \t\n\rNaInfity]{0,65535}[,\]]/y;
/** Shorter runs are read faster one by one. */
const WORTH_A_RUN = 8;
/** A list of at least this many numbers is worth starting as a list of doubles. */
const WORTH_DOUBLES = 1024;
/** A whole number that may be too large for a double to hold exactly. */
const MANY_DIGITS = /\d{16}/;

/**
 * A plain JSON parser (RFC 8259) that also takes bare non-finite numbers. It runs only where `JSON.parse` refused the
 * text, and its errors say where the text breaks. It recurses: the caller has limited the depth.
 *
 * @param options.isLine whether the text is one line of many, which has a number elsewhere
 * @throws InferenceError BAD_REQUEST with line and column
 */
export function parseTolerantJson(text: string, { exactIntegers = false, isLine = false } = {}): JsonValue {
  let position = 0;
  let readOneByOneUntil = 0;

  function skipSpace(): void {
    while (isSpace(text.charCodeAt(position))) position++;
  }

  function take(pattern: RegExp): string | undefined {
    const start = position;
    pattern.lastIndex = start;
    // There can be millions of numbers: a match would create an object for each.
    if (!pattern.test(text)) return undefined;
    position = pattern.lastIndex;
    return text.slice(start, position);
  }

  function fail(): never {
    const found = text.slice(position, position + 12).split(/\s/, 1)[0] ?? '';
    const place = describePlace(text, position, isLine);
    const problem = position >= text.length ? 'it ends too early' : `unexpected ${JSON.stringify(found)}`;
    throw new InferenceError('BAD_REQUEST', ['The body', `is not valid JSON: ${problem} at ${place}.`]);
  }

  function expect(character: string): void {
    skipSpace();
    if (text[position] !== character) fail();
    position++;
  }

  /** @param isFirst whether no array has another value before it: the first row names the columns of a table */
  function readValue(isFirst = true): JsonValue {
    skipSpace();
    const first = text[position];
    if (first === '{') return readObject(isFirst);
    if (first === '[') return readArray(isFirst);
    if (first === '"') return readString();
    const number = take(NUMBER);
    return number === undefined ? readWord() : toNumber(number, exactIntegers);
  }

  function readWord(): JsonValue {
    const start = position;
    const word = take(WORD);
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === 'null') return null;
    const number = NON_FINITE.get(word ?? '');
    if (number !== undefined) return number;
    position = start;
    return fail();
  }

  function readString(): string {
    const { value, end } = readStringAt(text, position);
    position = end;
    return value ?? fail();
  }

  function readArray(isFirst: boolean): JsonValue[] {
    const values: JsonValue[] = [];
    expect('[');
    skipSpace();
    if (text[position] === ']') {
      position++;
      return values;
    }
    let count = 0;
    for (;;) {
      const numbers = readNumbers();
      if (numbers) {
        const isEnd = text[position - 1] === ']';
        if (count === 0 && numbers.length > WORTH_DOUBLES) {
          startAsDoubles(values, numbers.length + (isEnd ? 0 : countNumbers(text, position)));
        }
        for (const number of numbers) values[count++] = number ?? Number.NaN;
        if (isEnd) break;
      }
      values[count] = readValue(isFirst && count === 0);
      count++;
      skipSpace();
      if (text[position] !== ',') {
        expect(']');
        break;
      }
      position++;
    }
    values.length = count;
    return values;
  }

  /**
   * Numbers in a row, many at once: a tensor has millions of them, and perhaps one NaN. Words that the built-in parser
   * does not take, and whole numbers that need all their digits, are read one by one later.
   *
   * @returns null for each NaN; undefined if the numbers that follow must be read one by one
   */
  function readNumbers(): readonly (number | null)[] | undefined {
    if (position < readOneByOneUntil) return undefined;
    NUMBERS.lastIndex = position;
    const run = NUMBERS.exec(text)?.[0] ?? '';
    if (run.length < WORTH_A_RUN) return undefined;
    readOneByOneUntil = position + run.length;
    if (exactIntegers && MANY_DIGITS.test(run)) return undefined;
    try {
      // No run has the letters of null.
      const numbers: (number | null)[] = JSON.parse(`[${writeWords(run.slice(0, -1))}]`);
      position = readOneByOneUntil;
      return numbers;
    } catch {
      // The slow path finds the mistake again and reports its place.
      return undefined;
    }
  }

  function readObject(isFirst: boolean): JsonObject {
    const object: JsonObject = {};
    expect('{');
    skipSpace();
    if (text[position] === '}') {
      position++;
      return object;
    }
    let names: string[] | undefined;
    let highest = -1;
    let hasOthers = false;
    for (;;) {
      skipSpace();
      if (text[position] !== '"') fail();
      const key = readString();
      if (WHOLE_NUMBER.test(key)) {
        if (hasOthers || Number(key) < highest) names ??= Object.keys(object);
        highest = Number(key);
      } else {
        hasOthers = true;
      }
      names?.push(key);
      expect(':');
      const value = readValue(isFirst);
      if (key === '__proto__') defineProto(object, value);
      else object[key] = value;
      skipSpace();
      if (text[position] !== ',') break;
      position++;
    }
    expect('}');
    if (names && isFirst) keepOrder(object, names);
    return object;
  }

  const value = readValue();
  skipSpace();
  return position < text.length ? fail() : value;
}

/** An own property, as `JSON.parse` makes it: an assignment would change the prototype. */
function defineProto(object: JsonObject, value: JsonValue): void {
  Object.defineProperty(object, '__proto__', { value, writable: true, enumerable: true, configurable: true });
}

/**
 * V8 stores whole numbers differently from doubles: one NaN at the end would make it copy millions of them. With room
 * for all of them from the start no list is copied while it grows.
 */
function startAsDoubles(values: JsonValue[], count: number): void {
  values.push(Number.NaN);
  values.length = count;
}

const COMMA = 0x2c;
const OTHER_VALUE = /[[\]{}"]/g;

/** How many numbers follow without anything else between them. */
function countNumbers(text: string, start: number): number {
  OTHER_VALUE.lastIndex = start;
  const end = OTHER_VALUE.exec(text)?.index ?? text.length;
  let count = 1;
  for (let at = start; at < end; at++) {
    if (text.charCodeAt(at) === COMMA) count++;
  }
  return count;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Bare words as JSON from which the built-in parser makes the same numbers, except null, which stands for NaN. */
function writeWords(run: string): string {
  // A word that touches a number is not one of these words: the parser refuses the run.
  if (!/[NI]/.test(run) || /[\d.eE+]-?Inf|Inf(?:inity)?[\d.eE+-]/.test(run)) return run;
  return run.replaceAll('NaN', 'null').replaceAll(/Inf(?:inity)?/g, '1e999');
}

/** Lines are counted rather than cut: a text can have millions of them. */
function describePlace(text: string, position: number, isLine: boolean): string {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end !== -1 && end < position; end = text.indexOf('\n', start)) {
    line++;
    start = end + 1;
  }
  const column = `column ${position - start + 1}`;
  return isLine ? column : `line ${line}, ${column}`;
}

/** Digits of the longest whole number that a datatype holds: 2^64 - 1. */
const MOST_DIGITS = 20;

/** Parsing a million digits as a bigint takes seconds, and no datatype could hold it. */
function toNumber(literal: string, exactIntegers: boolean): number | bigint {
  const value = Number(literal);
  if (!exactIntegers || Number.isSafeInteger(value) || literal.length > MOST_DIGITS + 1) return value;
  return /^-?\d+$/.test(literal) ? BigInt(literal) : value;
}
