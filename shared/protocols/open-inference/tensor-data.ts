import type { Budget } from '../../budget.ts';
import { type InferenceError, invalid } from '../../errors.ts';
import { decodeBase64 } from '../../http/base64.ts';
import { UnsafeIntegerError } from '../../json/exact-integers.ts';
import { describeJson, type JsonValue } from '../../json/json-value.ts';
import { measureNesting } from '../../json/nesting.ts';
import { sniffImageType } from '../../processing/image/decode/sniff.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { splitElements, tensorFromBytes } from '../../tensor/bytes.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { describeElement, isInexact } from '../../tensor/describe-element.ts';
import { createFill } from '../../tensor/fill-elements.ts';
import { elementCount } from '../../tensor/tensor.ts';
import type { BytesElement, TensorInput } from '../../values/named-inputs.ts';
import type { TensorHead } from './data-plane.ts';

/** An input of a request over HTTP, and where its elements are. */
export interface InputHead extends TensorHead {
  /** Undefined: the elements stand after the JSON. */
  readonly data: JsonValue | undefined;
  /** The declared size; an input may omit it, and then its shape or the end of the body decides. */
  readonly binaryBytes: number | undefined;
  /** The codec of MLServer that the input names; undefined for none. */
  readonly contentType: string | undefined;
  /** Whether the texts of a BYTES tensor are base64. */
  readonly isBase64: boolean;
}

/**
 * The elements of a tensor from JSON: a flat list, or lists nested to any depth that are not ragged.
 *
 * @throws InferenceError naming the input and the element
 * @throws UnsafeIntegerError
 */
export function parseTensorData(head: InputHead): TensorInput {
  const { name, datatype, shape, count } = head;
  // Other servers take a bare text as the only element of a BYTES tensor.
  const data = datatype === 'BYTES' && typeof head.data === 'string' ? [head.data] : head.data;
  if (!Array.isArray(data))
    throw invalid(`Input "${name}"`, `has the data ${describeJson(data)}; expected an array.`);
  const flat = Array.isArray(data[0]) ? flatten(data, name) : data;
  if (flat.length !== count) {
    throw invalid(`Input "${name}"`, `has ${flat.length} elements; its shape [${shape}] says ${count}.`);
  }
  if (datatype === 'BYTES') {
    return { datatype, shape, elements: flat.map((value, index) => readElement(value, index, head)) };
  }
  const values = DATATYPES[datatype].allocate(count);
  const wrong = createFill(values, datatype)(flat, 0);
  if (wrong !== -1) throw wrongElement(flat[wrong], wrong, head);
  return { datatype, shape, data: values };
}

function readElement(value: JsonValue, index: number, head: InputHead): BytesElement {
  if (value === null) return null;
  if (typeof value !== 'string') throw wrongElement(value, index, head);
  return head.isBase64 ? decodeBase64(value, `${head.name}[${index}]`) : value;
}

function flatten(data: JsonValue[], name: string): JsonValue[] {
  let flat: JsonValue[] = data;
  for (const [depth, size] of measureNesting(data).shape.slice(1).entries()) {
    const next: JsonValue[] = [];
    for (const list of flat) {
      if (!Array.isArray(list) || list.length !== size) {
        throw invalid(
          `Input "${name}"`,
          `is ragged: ${describeJson(list)} at depth ${depth + 1}; expected an array of ${size}.`,
        );
      }
      for (const item of list) next.push(item);
    }
    flat = next;
  }
  const deeper = flat.find((item) => Array.isArray(item));
  if (deeper !== undefined)
    throw invalid(`Input "${name}"`, `is ragged: ${describeJson(deeper)} mixed with single values.`);
  return flat;
}

/** The error for the first value that does not fit the datatype. */
function wrongElement(value: JsonValue | undefined, index: number, head: InputHead): InferenceError {
  const { name, datatype } = head;
  if (Array.isArray(value))
    return invalid(`Input "${name}"`, `is ragged: ${describeJson(value)} mixed with single values.`);
  if (isInexact(value, datatype)) {
    return new UnsafeIntegerError(
      `Element ${index} of input "${name}"`,
      `is ${value}, which readers of JSON round; send it as a whole number with all its digits.`,
    );
  }
  return invalid(
    `Element ${index} of input "${name}"`,
    `is ${describeJson(value)}; expected ${describeElement(value, datatype)}.`,
  );
}

/**
 * The size of a tensor that does not declare it: for numbers its shape decides, for a single BYTES tensor the end of
 * the body. (The convention of OpenVINO Model Server.)
 */
export function implySize(
  { name, datatype, count }: InputHead,
  tail: Uint8Array | undefined,
  isOnly: boolean,
): number {
  if (tail !== undefined && datatype !== 'BYTES') return count * DATATYPES[datatype].elementBytes;
  if (tail !== undefined && isOnly) return tail.length;
  throw invalid(`Input "${name}"`, 'has neither "data" nor "binary_data_size"; expected one of them.');
}

/**
 * The elements of a tensor from the bytes after the JSON.
 *
 * @throws InferenceError when their number does not match its shape
 */
export function decodeBinary(head: InputHead, bytes: Uint8Array, budget: Budget): TensorInput {
  const { name, datatype, shape, count } = head;
  const field = `Input "${name}"`;
  if (datatype === 'BYTES') {
    if (isBare(head, bytes)) return { datatype, shape, elements: [bytes] };
    budget.spend('values', count * TEXT_PRICE, field);
    return { datatype, shape, elements: splitElements(bytes, count, field) };
  }
  const expected = count * DATATYPES[datatype].elementBytes;
  if (bytes.length !== expected) {
    throw invalid(field, `has ${bytes.length} bytes; ${datatype} [${shape}] takes ${expected}.`);
  }
  return tensorFromBytes(datatype, shape, bytes, field);
}

/** An element is first bytes and then a text; each takes more memory than a text of JSON. */
const TEXT_PRICE = 2;

/** Whether the bytes are a single element, such as an image file, without its length before it. */
function isBare({ binaryBytes, count }: InputHead, bytes: Uint8Array): boolean {
  if (binaryBytes !== undefined || count !== 1 || bytes.length === 0) return false;
  if (bytes.length < 4) return true;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) !== bytes.length - 4;
}

/**
 * A body that consists of one tensor, for models with one input and at most one dynamic axis. If a second axis is open
 * too, an open first axis is a batch of one. The number of bytes gives the size of the dynamic axis. Text is the one
 * element of a BYTES input. Source: raw binary request of Triton's binary tensor data extension.
 *
 * @throws InferenceError when the model takes no such request, or the bytes do not make a whole tensor
 */
export function decodeRawTensor(bytes: Uint8Array, inputs: readonly TensorSpec[]): Map<string, TensorInput> {
  const [spec, ...others] = inputs;
  if (!spec || others.length > 0) {
    throw invalid(`A raw request is for models with one input; this one has ${inputs.length}.`);
  }
  // An image file sent to an image model: numbers begin like an image file only by accident.
  if (spec.shape.length === 4 && sniffImageType(bytes) !== undefined) {
    return new Map([[spec.name, { datatype: 'BYTES', shape: [1], elements: [bytes] }]]);
  }
  const shape = [...spec.shape];
  if (shape.filter((size) => size === -1).length > 1) shape[0] = 1;
  const open = shape.indexOf(-1);
  if (shape.indexOf(-1, open + 1) !== -1 && open !== -1) {
    throw invalid(`A raw request is for inputs with one dynamic axis; "${spec.name}" is [${spec.shape}].`);
  }
  if (spec.datatype === 'BYTES') {
    if (open !== -1) shape[open] = 1;
    if (elementCount(shape) !== 1)
      throw invalid(`A raw request holds one element; "${spec.name}" is [${spec.shape}].`);
    return new Map([[spec.name, { datatype: 'BYTES', shape, elements: [bytes] }]]);
  }
  const rest = elementCount(shape.filter((size) => size !== -1)) * DATATYPES[spec.datatype].elementBytes;
  if (open !== -1 && rest > 0) shape[open] = bytes.length / rest;
  const fits =
    shape.every(Number.isInteger) &&
    elementCount(shape) * DATATYPES[spec.datatype].elementBytes === bytes.length;
  if (!fits)
    throw invalid(
      'The body',
      `has ${bytes.length} bytes; ${spec.datatype} [${spec.shape}] takes whole ${rest}.`,
    );
  return new Map([[spec.name, tensorFromBytes(spec.datatype, shape, bytes, `Input "${spec.name}"`)]]);
}
