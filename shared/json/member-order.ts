import type { JsonObject } from './json-value.ts';

/**
 * The members of an object in the order of the text. JavaScript keeps that order except for names that are whole
 * numbers, such as those that pandas gives to columns: it moves them to the front, from the lowest to the highest.
 */
const orders = new WeakMap<JsonObject, readonly string[]>();

/** The names of an object's members in the order in which the text has them; of rows, only the first keeps it. */
export function keysInOrder(object: JsonObject): readonly string[] {
  return orders.get(object) ?? Object.keys(object);
}

/** Keeps the names in the order of the text for an object that was made from it. */
export function keepOrder(object: JsonObject, names: readonly string[]): void {
  orders.set(object, [...new Set(names)]);
}

/**
 * Looks for members that JavaScript moves, or whose names `JSON.parse` may get wrong, in the bytes of a JSON text. It is
 * called for each string that begins with a digit or an escape, in their order, and is never wrong when it says no.
 *
 * @returns a function of the indexes of a string's quotes
 */
export function createMoveCheck(bytes: Buffer): (open: number, close: number) => boolean {
  let last = { number: -1, end: 0 };
  return (open, close) => {
    const end = skipSpace(bytes, close + 1, 1);
    if (bytes[end] !== COLON) return false;
    const name = bytes.toString('latin1', open + 1, Math.min(close, open + 1 + LOOKED_AT));
    if (ONE_ESCAPE.test(name)) return true;
    const number = readNumber(name);
    if (number === Number.POSITIVE_INFINITY) {
      last = { number, end };
      return false;
    }
    const isFirst = bytes[skipSpace(bytes, open - 1, -1)] === OPEN_OBJECT;
    const isNext = number > last.number && isSameObject(bytes, last.end, open);
    last = { number, end };
    return !(isFirst || isNext);
  };
}

/** A name that objects of JavaScript move to their front; longer numbers and leading zeros stay. */
export const WHOLE_NUMBER = /^(?:0|[1-9]\d{0,9})$/;

/** Characters of a name that show whether it is a whole number: up to nine digits and an escape. */
const LOOKED_AT = 15;
/** A digit can be written as an escape. */
const ESCAPED_DIGIT = /^\d*\\u003\d/;

/**
 * A name of one character that is written as an escape. Once `JSON.parse` of V8 13.6 (Node 24) has read an object with a
 * name that is a backslash, it takes such names for a backslash as well.
 */
const ONE_ESCAPE = /^\\(?:u[\da-f]{4}|[^u])$/i;

/** Infinity for a name that is not moved, after which no number may stand; NaN for a number with an escape in it. */
function readNumber(name: string): number {
  if (ESCAPED_DIGIT.test(name)) return Number.NaN;
  return WHOLE_NUMBER.test(name) ? Number(name) : Number.POSITIVE_INFINITY;
}

/** Whether there is no bracket of an object and no other name between two names. */
function isSameObject(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === OPEN_OBJECT || byte === CLOSE_OBJECT) return false;
    if (byte === QUOTE && bytes[skipSpace(bytes, at + 1, 1)] === COLON) return false;
  }
  return start > 0;
}

function skipSpace(bytes: Buffer, start: number, step: 1 | -1): number {
  let at = start;
  while (bytes[at] === SPACE || bytes[at] === LINE_FEED || bytes[at] === RETURN || bytes[at] === TAB)
    at += step;
  return at;
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
