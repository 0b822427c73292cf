import type { Budget } from '../../budget.ts';
import { invalid } from '../../errors.ts';
import { describeJson, type JsonValue } from '../../json/json-value.ts';
import { splitElements, tensorFromBytes } from '../../tensor/bytes.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import type { TensorInput } from '../../values/named-inputs.ts';
import { parseTensorData } from './json-data.ts';
import { decodeHead, type TensorHead } from './tensor-head.ts';

/**
 * The inputs of a request by name, from its JSON and from the bytes behind that.
 *
 * @param tail the bytes behind the JSON; undefined where the request does not tell where its JSON ends
 * @param isBase64 whether the texts of an input are base64 where it does not say
 * @throws InferenceError naming the input, what came and what is expected
 * @throws UnsafeIntegerError
 */
export function decodeInputs(
  inputs: JsonValue | undefined,
  tail: Uint8Array | undefined,
  budget: Budget,
  isBase64: boolean,
): Map<string, TensorInput> {
  if (inputs !== undefined && !Array.isArray(inputs)) {
    throw invalid('Field "inputs"', `is ${describeJson(inputs)}; expected an array of tensors.`);
  }
  const heads = (inputs ?? []).map((input, index) =>
    decodeHead(input, `inputs[${index}]`, budget.limits, isBase64),
  );
  const tensors = new Map<string, TensorInput>();
  let rest = tail ?? new Uint8Array(0);
  for (const head of heads) {
    if (tensors.has(head.name)) throw invalid(`Input "${head.name}"`, 'is given twice.');
    if (head.data !== undefined) {
      tensors.set(head.name, parseTensorData(head));
      continue;
    }
    const size = head.binaryBytes ?? implySize(head, tail, heads.length === 1);
    if (size > rest.length) {
      throw invalid(`Input "${head.name}"`, `has ${rest.length} bytes behind the JSON; expected ${size}.`);
    }
    tensors.set(head.name, decodeBinary(head, rest.subarray(0, size), budget));
    rest = rest.subarray(size);
  }
  if (rest.length > 0) throw invalid('The body', `has ${rest.length} bytes behind the last tensor.`);
  return tensors;
}

/**
 * The size of a tensor that does not tell it: its shape does for numbers, the end of the body for texts that stand
 * alone. (The convention of OpenVINO Model Server.)
 */
function implySize(
  { name, datatype, count }: TensorHead,
  tail: Uint8Array | undefined,
  isOnly: boolean,
): number {
  if (tail !== undefined && datatype !== 'BYTES') return count * DATATYPES[datatype].elementBytes;
  if (tail !== undefined && isOnly) return tail.length;
  throw invalid(`Input "${name}"`, 'has neither "data" nor "binary_data_size"; expected one of them.');
}

function decodeBinary(head: TensorHead, bytes: Uint8Array, budget: Budget): TensorInput {
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

/** An element is bytes first and a text then; each takes more memory than a text of JSON. */
const TEXT_PRICE = 2;

/** Whether the bytes are the one element, such as an image file, without its length before it. */
function isBare({ binaryBytes, count }: TensorHead, bytes: Uint8Array): boolean {
  if (binaryBytes !== undefined || count !== 1 || bytes.length === 0) return false;
  if (bytes.length < 4) return true;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) !== bytes.length - 4;
}
