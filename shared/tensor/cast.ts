import { type InferenceError, invalid, overLimit } from '../errors.ts';
import {
  DATATYPES,
  type Datatype,
  FLOAT_BOUNDS,
  type FloatType,
  INTEGER_RANGES,
  type NumericArray,
} from './datatype.ts';
import { float16ToNumber, numberToFloat16 } from './float16.ts';
import {
  allocateElements,
  type Elements,
  findFirstBit,
  isWide,
  readBlocks,
  type WideArray,
  writeNumbers,
} from './number-blocks.ts';
import type { Tensor } from './tensor.ts';

/** What a conversion needs to know. */
export interface CastOptions {
  /** What to call the tensor in an error. */
  readonly field: string;
  /** Largest size of a body: a tensor that is converted may take twice as much, as floats do that came as halves. */
  readonly bodyBytes: number;
}

/**
 * The tensor in another datatype. Floats are rounded to the nearest value of another float type; all other conversions
 * between numbers and truth values are made only if the other type has each value. Clients cannot know which type a
 * graph was exported with.
 *
 * @throws InferenceError for texts and for a tensor that takes too much memory, and naming the first value that does not
 * fit
 */
export function castTensor(tensor: Tensor, datatype: Datatype, options: CastOptions): Tensor {
  if (tensor.datatype === datatype) return tensor;
  const { field } = options;
  const { data } = tensor;
  if (Array.isArray(data) || datatype === 'BYTES') {
    throw invalid(field, `has the datatype ${tensor.datatype}; expected ${datatype}.`);
  }
  const isToFloat = DATATYPES[datatype].kind === 'float';
  if (isToFloat && DATATYPES[tensor.datatype].kind === 'float') {
    return convert(tensor, data, datatype, options, findTooLarge);
  }
  return isWide(data) && WIDE_TYPES.includes(datatype)
    ? changeSign(tensor, data, datatype, field)
    : convert(tensor, data, datatype, options, isToFloat ? findRounded : findOutside);
}

const WIDE_TYPES: readonly Datatype[] = ['INT64', 'UINT64'];

/** Integers of 64 bits with a sign as those without, and the other way round: the same bits, if the first of them is 0. */
function changeSign({ shape }: Tensor, data: WideArray, datatype: Datatype, field: string): Tensor {
  const wrong = findFirstBit(data);
  if (wrong !== -1) throw doesNotFit(field, wrong, data[wrong], datatype);
  const { buffer, byteOffset, length } = data;
  const changed =
    datatype === 'INT64'
      ? new BigInt64Array(buffer, byteOffset, length)
      : new BigUint64Array(buffer, byteOffset, length);
  return { datatype, shape, data: changed };
}

/**
 * Numbers as a float type, rounded to the nearest: whole numbers as well, as if they had come in JSON.
 *
 * @throws InferenceError for a tensor that takes too much memory, and naming the first number that would become infinity
 */
export function roundTensor(tensor: Tensor, datatype: FloatType, options: CastOptions): Tensor {
  if (Array.isArray(tensor.data)) throw new Error('texts are not numbers');
  return convert(tensor, tensor.data, datatype, options, findTooLarge);
}

/**
 * Finds the first number of a block that another datatype lacks.
 *
 * @returns its index in the block; -1 when it has them all
 */
type Find = (numbers: Float64Array, datatype: Datatype, given: NumericArray, start: number) => number;

function convert(
  { shape, datatype: from }: Tensor,
  given: NumericArray,
  datatype: Datatype,
  { field, bodyBytes }: CastOptions,
  find: Find,
): Tensor {
  const bytes = given.length * DATATYPES[datatype].elementBytes;
  if (bytes > 2 * bodyBytes) {
    throw overLimit(
      field,
      `takes ${bytes} bytes as ${datatype}, which the model takes; the limit is ${2 * bodyBytes} (twice MAX_BODY_BYTES).`,
    );
  }
  const source: Elements = { datatype: from, data: given };
  const target = allocateElements(datatype, given.length);
  for (const { start, numbers } of readBlocks(source)) {
    const wrong = find(numbers, datatype, given, start);
    if (wrong !== -1) {
      const value = isWide(given) ? given[start + wrong] : numbers[wrong];
      throw doesNotFit(field, start + wrong, value, datatype);
    }
    writeNumbers(target, start, numbers);
  }
  return { datatype, shape, data: target.data };
}

/** Infinity itself is a value; a number that would only round to it is not. */
const findTooLarge: Find = (numbers, datatype) => {
  const bound = FLOAT_BOUNDS[datatype] ?? Number.POSITIVE_INFINITY;
  for (let i = 0; i < numbers.length; i++) {
    const size = Math.abs(numbers[i] ?? 0);
    if (size >= bound && size < Number.POSITIVE_INFINITY) return i;
  }
  return -1;
};

/** Each value must be as it was, to the last digit. Integers of 64 bits are rounded in the block if they are large. */
const findRounded: Find = (numbers, datatype, given, start) => {
  const round = datatype === 'FP64' ? Number : datatype === 'FP16' ? roundToHalf : Math.fround;
  const wide = isWide(given) ? given : undefined;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] ?? 0;
    if (round(number) !== number) return i;
    if (wide && !Number.isSafeInteger(number) && BigInt(number) !== wide[start + i]) return i;
  }
  return -1;
};

function roundToHalf(number: number): number {
  return float16ToNumber(numberToFloat16(number));
}

/** From these numbers on, the whole numbers that 64 bits have end. */
const WIDE_BOUNDS: Partial<Record<Datatype, readonly [number, number]>> = {
  INT64: [-(2 ** 63), 2 ** 63],
  UINT64: [0, 2 ** 64],
};

const findOutside: Find = (numbers, datatype) => {
  const [low, high] = datatype === 'BOOL' ? [0, 1] : (INTEGER_RANGES[datatype] ?? [0, 0]);
  const [least, bound] = WIDE_BOUNDS[datatype] ?? [low, high + 1];
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] ?? 0;
    if (!(Number.isInteger(number) && number >= least && number < bound)) return i;
  }
  return -1;
};

function doesNotFit(field: string, index: number, value: unknown, datatype: Datatype): InferenceError {
  return invalid(
    `Element ${index} of ${field} is ${value}, which does not fit into the model's ${datatype}.`,
  );
}
