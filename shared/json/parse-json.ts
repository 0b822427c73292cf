import { isAscii } from 'node:buffer';
import { InferenceError } from '../errors.ts';
import type { JsonValue } from './json-value.ts';
import { createMoveCheck } from './member-order.ts';
import { parseTolerantJson } from './tolerant-json.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_N = 0x4e;
const UPPER_I = 0x49;

export interface ParseOptions {
  readonly spend?: (values: number) => void;
  readonly isLine?: boolean | undefined;
}

/**
 * Parses a JSON body. In addition to standard JSON it takes bare `NaN`, `Infinity`, `-Infinity`, `Inf` and `-Inf`,
 * which Python's `json` module writes, so that a later check can name the field that holds one. `keysInOrder` knows the
 * order in which the text has the members of an object.
 *
 * @param depthLimit deepest nesting of arrays and objects
 * @param options.isLine whether it is one line of many: errors name the column alone
 * @param options.spend called with the number of arrays, objects and strings before any of them is made; it may throw
 * to refuse them: a body of 32 MB can hold eleven million empty objects, which take a gigabyte and several seconds
 * @throws InferenceError BAD_REQUEST for malformed text, with line and column, and for nesting beyond the limit
 */
export function parseJson(
  bytes: Uint8Array,
  depthLimit: number,
  { spend, isLine }: ParseOptions = {},
): JsonValue {
  const buffer = asBuffer(bytes);
  const { values, hasBareWords, hasMoved } = scan(buffer, depthLimit);
  spend?.(values);
  const text = decodeUtf8(buffer);
  if (hasBareWords || hasMoved) return parseTolerantJson(text, { isLine });
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    return parseTolerantJson(text, { isLine });
  }
}

/**
 * Parses a JSON body like `parseJson`, but gives whole numbers beyond 2^53 as bigint with all their digits. It is
 * several times slower: for the rare body that has such numbers.
 */
export function parseExactJson(
  bytes: Uint8Array,
  depthLimit: number,
  { isLine }: Pick<ParseOptions, 'isLine'> = {},
): JsonValue {
  const buffer = asBuffer(bytes);
  scan(buffer, depthLimit);
  return parseTolerantJson(decodeUtf8(buffer), { exactIntegers: true, isLine });
}

/** Searching a Buffer is nine times as fast as searching a plain array. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Scan {
  /** How many arrays, objects and strings the text has. */
  readonly values: number;
  /** Whether a word begins like `NaN` or `Infinity`, which JSON has only inside strings. */
  readonly hasBareWords: boolean;
  /** Whether an object may have members that `JSON.parse` moves to its front. */
  readonly hasMoved: boolean;
}

/**
 * What can be learned about JSON before it is parsed. `JSON.parse` itself takes any depth, but code that walks the
 * result by recursion would overflow the stack.
 *
 * @throws InferenceError BAD_REQUEST for nesting beyond the limit
 */
function scan(bytes: Buffer, depthLimit: number): Scan {
  const skip = bytes.length < WORTH_SKIPPING ? (from: number) => from : createSkip(bytes);
  let depth = 0;
  let values = 0;
  let hasBareWords = false;
  let hasMoved = false;
  const isMoved = createMoveCheck(bytes);
  for (let i = skip(0); i < bytes.length; i = skip(i + 1)) {
    const byte = bytes[i] ?? 0;
    if (byte === QUOTE) {
      const end = endOfString(bytes, i);
      const first = bytes[i + 1] ?? 0;
      if ((first >= ZERO && first <= NINE) || first === BACKSLASH) hasMoved ||= isMoved(i, end);
      i = end;
      values++;
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      values++;
      if (++depth > depthLimit) throw tooDeep(depthLimit);
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      depth--;
    } else if (byte === UPPER_N || byte === UPPER_I) {
      hasBareWords = true;
    }
  }
  return { values, hasBareWords, hasMoved };
}

function tooDeep(limit: number): InferenceError {
  return new InferenceError('BAD_REQUEST', [
    'The JSON body',
    `is nested more than ${limit} levels deep, which is the limit (MAX_JSON_DEPTH).`,
  ]);
}

/** Shorter texts are searched byte by byte. */
const WORTH_SKIPPING = 256;

/** Set in all letters and brackets of ASCII, in no digit and no punctuation of numbers. */
const LETTER_BITS = 0x40404040;
const QUOTES = 0x22222222;

/**
 * Finds the next index at which a bracket or a quote may stand, looking at four bytes at once: between two brackets of
 * a tensor there are dozens of digits. A byte of a word is zero when subtracting 1 from each borrows from its top bit.
 */
function createSkip(bytes: Uint8Array): (from: number) => number {
  const ahead = (4 - (bytes.byteOffset % 4)) % 4;
  const count = Math.max(0, Math.floor((bytes.length - ahead) / 4));
  const words = new Uint32Array(bytes.buffer, count > 0 ? bytes.byteOffset + ahead : 0, count);
  return (from) => {
    if (from < ahead || (from - ahead) % 4 !== 0) return from;
    let at = (from - ahead) / 4;
    for (; at < count; at++) {
      const word = words[at] ?? 0;
      const quotes = word ^ QUOTES;
      if (((word & LETTER_BITS) | ((quotes - 0x01010101) & ~quotes & 0x80808080)) !== 0) break;
    }
    return ahead + at * 4;
  };
}

/** How many elements the arrays and objects of a text have in all, or a few less: one for each comma outside of strings. */
export function countElements(bytes: Uint8Array): number {
  const buffer = asBuffer(bytes);
  let count = 0;
  for (let i = 0; i < buffer.length; i++) {
    const byte = buffer[i];
    if (byte === COMMA) count++;
    else if (byte === QUOTE) i = endOfString(buffer, i);
  }
  return count;
}

/** Index of the quote that closes the string opened at `start`, or the length when it is never closed. */
export function endOfString(bytes: Uint8Array, start: number): number {
  for (let end = bytes.indexOf(QUOTE, start + 1); end !== -1; end = bytes.indexOf(QUOTE, end + 1)) {
    let backslashes = 0;
    while (bytes[end - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return bytes.length;
}

function decodeUtf8(bytes: Buffer): string {
  // Most bodies are ASCII, and a string of one byte per character is made and parsed in a fraction of the time.
  if (isAscii(bytes)) return bytes.toString('latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InferenceError('BAD_REQUEST', ['The JSON body', 'is not valid UTF-8.']);
  }
}
