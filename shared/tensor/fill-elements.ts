import type { JsonValue } from '../json/json-value.ts';
import { DATATYPES, type Datatype, FLOAT_BOUNDS, INTEGER_RANGES, type TensorData } from './datatype.ts';
import { numberToFloat16 } from './float16.ts';
import { textFault } from './text-fault.ts';

/**
 * Writes a list of JSON values into the elements of a tensor, from `at` on. It stops at the first value that
 * does not fit the datatype, and gives its index; -1 when all fit.
 */
export type Fill = (list: readonly JsonValue[], at: number) => number;

type NumberArray = Exclude<TensorData, string[] | BigInt64Array | BigUint64Array>;

/**
 * Functions that fill the elements of a tensor, with one plain loop for each kind: large JSON tensors spend their time
 * here.
 *
 * @param takesBooleans whether true and false are taken for the numbers 1 and 0
 */
export function createFill(elements: TensorData, datatype: Datatype, takesBooleans = false): Fill {
  if (Array.isArray(elements)) return (list, at) => fillTexts(elements, list, at);
  if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) {
    return (list, at) => fillBigIntegers(elements, list, at, takesBooleans);
  }
  const { kind } = DATATYPES[datatype];
  if (kind === 'bool') return (list, at) => fillBooleans(elements, list, at);
  if (kind === 'integer') {
    const [low, high] = INTEGER_RANGES[datatype] ?? [0, 0];
    return (list, at) => fillIntegers(elements, list, at, low, high, takesBooleans);
  }
  const bound = FLOAT_BOUNDS[datatype] ?? Number.POSITIVE_INFINITY;
  const isHalf = datatype === 'FP16';
  return (list, at) => fillFloats(elements, list, at, bound, isHalf, takesBooleans);
}

/** `null` stands for NaN, which JSON cannot express; numbers that would only round to infinity are refused. */
function fillFloats(
  elements: NumberArray,
  list: readonly JsonValue[],
  at: number,
  bound: number,
  isHalf: boolean,
  takesBooleans: boolean,
): number {
  for (let i = 0; i < list.length; i++) {
    const value = toFloat(list[i], takesBooleans);
    if (value === undefined || (Math.abs(value) >= bound && Number.isFinite(value))) return i;
    elements[at + i] = isHalf ? numberToFloat16(value) : value;
  }
  return -1;
}

function toFloat(value: JsonValue | undefined, takesBooleans: boolean): number | undefined {
  if (typeof value === 'number') return value;
  if (value === null) return Number.NaN;
  return typeof value === 'bigint' || (takesBooleans && typeof value === 'boolean')
    ? Number(value)
    : undefined;
}

function fillIntegers(
  elements: NumberArray,
  list: readonly JsonValue[],
  at: number,
  low: number,
  high: number,
  takesBooleans: boolean,
): number {
  for (let i = 0; i < list.length; i++) {
    const given = list[i];
    const value = takesBooleans && typeof given === 'boolean' ? Number(given) : given;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) return i;
    elements[at + i] = value;
  }
  return -1;
}

function fillBooleans(elements: NumberArray, list: readonly JsonValue[], at: number): number {
  for (let i = 0; i < list.length; i++) {
    const value = list[i];
    if (typeof value !== 'boolean' && value !== 0 && value !== 1) return i;
    elements[at + i] = Number(value);
  }
  return -1;
}

/** Whole numbers beyond 2^53 come as bigint, from a parser that keeps all their digits. */
function fillBigIntegers(
  elements: BigInt64Array | BigUint64Array,
  list: readonly JsonValue[],
  at: number,
  takesBooleans: boolean,
): number {
  for (let i = 0; i < list.length; i++) {
    const given = list[i];
    const value = takesBooleans && typeof given === 'boolean' ? Number(given) : given;
    if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return i;
    const exact = BigInt(Number.isSafeInteger(value) ? Number(value) : String(value));
    elements[at + i] = exact;
    if (elements[at + i] !== exact) return i;
  }
  return -1;
}

function fillTexts(elements: string[], list: readonly JsonValue[], at: number): number {
  for (let i = 0; i < list.length; i++) {
    const value = list[i];
    if (typeof value !== 'string' || textFault(value) !== undefined) return i;
    elements[at + i] = value;
  }
  return -1;
}
