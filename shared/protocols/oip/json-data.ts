import { type InferenceError, invalid } from '../../errors.ts';
import { decodeBase64 } from '../../http/base64.ts';
import type { TensorInput } from '../../inference/check-feeds.ts';
import { UnsafeIntegerError } from '../../json/exact-integers.ts';
import { describeJson, type JsonValue } from '../../json/parse-json.ts';
import { DATATYPES, FLOAT_BOUNDS, INTEGER_RANGES, type TensorData } from '../../tensor/datatype.ts';
import { numberToFloat16 } from '../../tensor/float16.ts';
import type { TensorHead } from './tensor-head.ts';

/**
 * The elements of a tensor from JSON: a flat list, or lists nested to any depth that are not ragged.
 *
 * @throws InferenceError naming the input and the element
 * @throws UnsafeIntegerError
 */
export function parseTensorData(head: TensorHead): TensorInput {
  const { name, datatype, shape, count } = head;
  // Servers before us took a bare text for the only element of a BYTES tensor.
  const data = datatype === 'BYTES' && typeof head.data === 'string' ? [head.data] : head.data;
  if (!Array.isArray(data))
    throw invalid(`Input "${name}" has the data ${describeJson(data)}; expected an array.`);
  const flat = Array.isArray(data[0]) ? flatten(data, name) : data;
  if (flat.length !== count) {
    throw invalid(`Input "${name}" has ${flat.length} elements; its shape [${shape}] says ${count}.`);
  }
  if (datatype === 'BYTES') {
    return { datatype, shape, elements: flat.map((value, index) => readElement(value, index, head)) };
  }
  const values = DATATYPES[datatype].allocate(count);
  fill(values, flat, head);
  return { datatype, shape, data: values };
}

function readElement(value: JsonValue, index: number, head: TensorHead): string | Uint8Array {
  if (typeof value !== 'string') {
    throw wrongElement(value, index, head, 'a string');
  }
  return head.isBase64 ? decodeBase64(value, `${head.name}[${index}]`) : value;
}

function flatten(data: JsonValue[], name: string): JsonValue[] {
  const sizes: number[] = [];
  for (let level: JsonValue | undefined = data; Array.isArray(level); level = level[0])
    sizes.push(level.length);
  let flat: JsonValue[] = data;
  for (const [depth, size] of sizes.slice(1).entries()) {
    const next: JsonValue[] = [];
    for (const list of flat) {
      if (!Array.isArray(list) || list.length !== size) {
        throw invalid(
          `Input "${name}" is ragged: ${describeJson(list)} at depth ${depth + 1}; expected an array of ${size}.`,
        );
      }
      for (const item of list) next.push(item);
    }
    flat = next;
  }
  const deeper = flat.find((item) => Array.isArray(item));
  if (deeper !== undefined)
    throw invalid(`Input "${name}" is ragged: ${describeJson(deeper)} beside single values.`);
  return flat;
}

/** One plain loop per kind of array: this is where large JSON tensors spend their time. */
function fill(values: TensorData, flat: readonly JsonValue[], head: TensorHead): void {
  if (Array.isArray(values)) throw new Error('texts are no numbers');
  if (values instanceof BigInt64Array || values instanceof BigUint64Array)
    fillBigIntegers(values, flat, head);
  else if (DATATYPES[head.datatype].kind === 'float') fillFloats(values, flat, head);
  else fillIntegers(values, flat, head);
}

type NumberArray = Exclude<TensorData, string[] | BigInt64Array | BigUint64Array>;

function fillIntegers(values: NumberArray, flat: readonly JsonValue[], head: TensorHead): void {
  const [low, high] = INTEGER_RANGES[head.datatype] ?? [0, 1];
  const isBool = head.datatype === 'BOOL';
  for (let i = 0; i < flat.length; i++) {
    const value = isBool && typeof flat[i] === 'boolean' ? Number(flat[i]) : flat[i];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
      throw wrongElement(
        flat[i],
        i,
        head,
        isBool ? 'true or false' : `a whole number from ${low} to ${high}`,
      );
    }
    values[i] = value;
  }
}

function fillFloats(values: NumberArray, flat: readonly JsonValue[], head: TensorHead): void {
  const bound = FLOAT_BOUNDS[head.datatype] ?? Number.POSITIVE_INFINITY;
  const isHalf = head.datatype === 'FP16';
  for (let i = 0; i < flat.length; i++) {
    const given = flat[i];
    const isPlain = typeof given === 'number' && given > -bound && given < bound;
    const value = isPlain ? given : readFloat(given, i, head, bound);
    values[i] = isHalf ? numberToFloat16(value) : value;
  }
}

/** `null` stands for NaN; what is not finite is meant so. */
function readFloat(given: JsonValue | undefined, index: number, head: TensorHead, bound: number): number {
  const value = given === null ? Number.NaN : typeof given === 'bigint' ? Number(given) : given;
  if (typeof value !== 'number') throw wrongElement(value, index, head, 'a number');
  if (Number.isFinite(value) && Math.abs(value) >= bound)
    throw wrongElement(value, index, head, `a number below ${bound}`);
  return value;
}

function fillBigIntegers(
  values: BigInt64Array | BigUint64Array,
  flat: readonly JsonValue[],
  head: TensorHead,
): void {
  for (let i = 0; i < flat.length; i++) {
    const value = flat[i];
    const isWhole = typeof value === 'bigint' || Number.isInteger(value);
    if (typeof value === 'number' && isWhole && !Number.isSafeInteger(value)) {
      throw new UnsafeIntegerError(
        `Element ${i} of input "${head.name}" is ${value}, which cannot be told exactly; write all its digits.`,
      );
    }
    if ((typeof value !== 'number' && typeof value !== 'bigint') || !isWhole)
      throw wrongElement(value, i, head, 'a whole number');
    const exact = BigInt(value);
    values[i] = exact;
    if (values[i] !== exact) throw wrongElement(value, i, head, `a whole number within ${head.datatype}`);
  }
}

function wrongElement(
  value: JsonValue | undefined,
  index: number,
  { name, datatype }: TensorHead,
  expected: string,
): InferenceError {
  if (Array.isArray(value))
    return invalid(`Input "${name}" is ragged: ${describeJson(value)} beside single values.`);
  return invalid(
    `Element ${index} of input "${name}" is ${describeJson(value)}; expected ${expected} (${datatype}).`,
  );
}
