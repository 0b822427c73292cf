import { invalid } from '../errors.ts';
import { UnsafeIntegerError } from '../json/exact-integers.ts';
import { describeJson, type JsonValue } from '../json/parse-json.ts';
import type { WritableJson } from '../json/write-json.ts';
import { DATATYPES, type Datatype, INTEGER_RANGES } from './datatype.ts';
import { float16ToNumber } from './float16.ts';
import { shortestFloat32 } from './float32.ts';
import type { Tensor } from './tensor.ts';

interface NestedOptions {
  /** Where the value stands in the request, for errors. */
  readonly field: string;
  readonly elementLimit: number;
}

/**
 * Reads a tensor from nested JSON lists; the nesting is the shape. The caller has limited the depth.
 *
 * @throws InferenceError for ragged lists, wrong element types, integers out of range and too many elements
 */
export function parseNested(value: JsonValue, datatype: Datatype, options: NestedOptions): Tensor {
  const shape: number[] = [];
  for (let level: JsonValue | undefined = value; Array.isArray(level); level = level[0])
    shape.push(level.length);
  const elements: JsonValue[] = [];
  collect(value, 0, shape, elements, options);
  if (datatype === 'BYTES') {
    return { datatype, shape, data: elements.map((element, i) => checkText(element, i, options)) };
  }
  if (datatype === 'INT64' || datatype === 'UINT64') {
    const exact = elements.map((element, i) => checkBigInteger(element, i, datatype, options));
    return {
      datatype,
      shape,
      data: datatype === 'INT64' ? new BigInt64Array(exact) : new BigUint64Array(exact),
    };
  }
  const numbers = elements.map((element, i) => checkNumber(element, i, datatype, options));
  return { datatype, shape, data: DATATYPES[datatype].fromNumbers(numbers) };
}

function collect(
  value: JsonValue,
  level: number,
  shape: readonly number[],
  elements: JsonValue[],
  options: NestedOptions,
): void {
  const size = shape[level];
  if (size === undefined && !Array.isArray(value)) {
    elements.push(value);
    if (elements.length > options.elementLimit) {
      throw invalid(
        `Field "${options.field}" has more than ${options.elementLimit} elements, which is the limit (MAX_TENSOR_ELEMENTS).`,
      );
    }
    return;
  }
  if (!Array.isArray(value) || value.length !== size) {
    const expected = size === undefined ? 'a single value' : `an array of ${size}`;
    throw invalid(
      `Field "${options.field}" is ragged: ${describeJson(value)} at depth ${level}; expected ${expected}.`,
    );
  }
  for (const item of value) collect(item, level + 1, shape, elements, options);
}

function checkText(value: JsonValue, index: number, { field }: NestedOptions): string {
  if (typeof value !== 'string') {
    throw invalid(`Element ${index} of field "${field}" is ${describeJson(value)}; expected a string.`);
  }
  // The runtime would cut the string at the NUL in silence.
  if (value.includes('\0')) throw invalid(`Element ${index} of field "${field}" has a NUL character.`);
  return value;
}

function checkNumber(value: JsonValue, index: number, datatype: Datatype, { field }: NestedOptions): number {
  const { kind } = DATATYPES[datatype];
  if (kind === 'bool') {
    if (typeof value === 'boolean' || value === 0 || value === 1) return Number(value);
    throw invalid(`Element ${index} of field "${field}" is ${describeJson(value)}; expected true or false.`);
  }
  if (kind === 'float' && (typeof value === 'number' || value === null)) return value ?? Number.NaN;
  const [low, high] = INTEGER_RANGES[datatype] ?? [0, 0];
  if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value;
  const expected = kind === 'float' ? 'a number' : `a whole number from ${low} to ${high} (${datatype})`;
  throw invalid(`Element ${index} of field "${field}" is ${describeJson(value)}; expected ${expected}.`);
}

/** Whole numbers beyond 2^53 come as bigint, from a parser that keeps all their digits. */
function checkBigInteger(
  value: JsonValue,
  index: number,
  datatype: Datatype,
  options: NestedOptions,
): bigint {
  if (typeof value !== 'bigint') {
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw new UnsafeIntegerError(
        `Element ${index} of field "${options.field}" is ${value}, which cannot be told exactly; write all its digits.`,
      );
    }
    return BigInt(checkNumber(value, index, datatype, options));
  }
  const wrapped = datatype === 'INT64' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  if (wrapped === value) return value;
  throw invalid(
    `Element ${index} of field "${options.field}" is ${describeJson(value)}; expected a whole number within ${datatype}.`,
  );
}

/** The elements as nested lists; a scalar comes out bare. */
export function toNested(tensor: Tensor): WritableJson {
  const element = elementReader(tensor);
  let next = 0;
  const build = (axis: number): WritableJson => {
    const size = tensor.shape[axis];
    if (size === undefined) return element(next++);
    return Array.from({ length: size }, () => build(axis + 1));
  };
  return build(0);
}

function elementReader({ data, datatype }: Tensor): (index: number) => WritableJson {
  if (datatype === 'FP16') return (index) => shortestFloat32(float16ToNumber(Number(data[index])));
  if (datatype === 'FP32') return (index) => shortestFloat32(Number(data[index]));
  if (datatype === 'BOOL') return (index) => data[index] === 1;
  return (index) => data[index];
}
