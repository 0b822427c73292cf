import { DATATYPES, type Datatype, type NumericArray } from './datatype.ts';
import { float16ToNumber, numberToFloat16 } from './float16.ts';

/**
 * How many elements are converted at a time. A loop over arrays of one kind takes a few nanoseconds for an element, and
 * ten times as long if it has met all kinds. So all datatypes are converted through blocks of one kind, which fit into
 * the cache of a processor.
 */
const BLOCK = 4096;

/** Elements of one numeric datatype. */
export interface Elements {
  readonly datatype: Datatype;
  readonly data: NumericArray;
}

/**
 * The elements as numbers, a block after the other. A block is only valid until the next one. Integers of 64 bits beyond
 * 2^53 are rounded.
 */
export function* readBlocks(
  elements: Elements,
): Generator<{ readonly start: number; readonly numbers: Float64Array }> {
  const { length } = elements.data;
  const block = new Float64Array(Math.min(BLOCK, length));
  for (let start = 0; start < length; start += BLOCK) {
    const numbers = block.subarray(0, Math.min(BLOCK, length - start));
    readNumbers(elements, start, numbers);
    yield { start, numbers };
  }
}

/** Reads as many elements as there is room for, from `start` on. */
export function readNumbers({ data, datatype }: Elements, start: number, numbers: Float64Array): void {
  const end = start + numbers.length;
  if (isWide(data)) readWide(data.subarray(start, end), numbers);
  else if (datatype !== 'FP16') numbers.set(data.subarray(start, end));
  else for (let i = 0; i < numbers.length; i++) numbers[i] = float16ToNumber(data[start + i] ?? 0);
}

/**
 * Writes numbers into elements, from `start` on. Floats are rounded to the nearest; the caller has checked that the
 * datatype has all other numbers.
 */
export function writeNumbers({ data, datatype }: Elements, start: number, numbers: Float64Array): void {
  if (isWide(data)) writeWide(data.subarray(start, start + numbers.length), numbers);
  else if (datatype !== 'FP16') data.set(numbers, start);
  else for (let i = 0; i < numbers.length; i++) data[start + i] = numberToFloat16(numbers[i] ?? 0);
}

/** Memory for as many elements of a numeric datatype: zeros. */
export function allocateElements(datatype: Datatype, length: number): Elements {
  const data = DATATYPES[datatype].allocate(length);
  if (Array.isArray(data)) throw new Error(`${datatype} has no numbers`);
  return { datatype, data };
}

/** Elements of 64 bits. */
export type WideArray = BigInt64Array | BigUint64Array;

/** Whether elements have 64 bits, so that a number cannot hold each of them. */
export function isWide(data: NumericArray): data is WideArray {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}

const HALF = 2 ** 32;

/** From the two halves of each, the lower one first: as `bigint`, each would be an object of its own. */
function readWide(data: WideArray, numbers: Float64Array): void {
  const lower = new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
  const halves =
    data instanceof BigInt64Array ? new Int32Array(lower.buffer, lower.byteOffset, lower.length) : lower;
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = (halves[2 * i + 1] ?? 0) * HALF + (lower[2 * i] ?? 0);
  }
}

function writeWide(data: WideArray, numbers: Float64Array): void {
  const halves = new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] ?? 0;
    const higher = Math.floor(number / HALF);
    halves[2 * i] = number - higher * HALF;
    // Written modulo 2^32, so that a negative one keeps its bits.
    halves[2 * i + 1] = higher;
  }
}

/** The index of the first element whose highest bit is set; -1 if none is. */
export function findFirstBit(data: WideArray): number {
  const halves = new Int32Array(data.buffer, data.byteOffset, 2 * data.length);
  for (let i = 0; i < data.length; i++) if ((halves[2 * i + 1] ?? 0) < 0) return i;
  return -1;
}
