import { type InferenceError, invalid } from '../../errors.ts';
import { decodeBase64 } from '../../http/base64.ts';
import { UnsafeIntegerError } from '../../json/exact-integers.ts';
import { describeJson, type JsonValue } from '../../json/json-value.ts';
import { measureNesting } from '../../json/nesting.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { describeElement, isInexact } from '../../tensor/describe-element.ts';
import { createFill } from '../../tensor/fill-elements.ts';
import type { TensorInput } from '../../values/named-inputs.ts';
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

function readElement(value: JsonValue, index: number, head: TensorHead): string | Uint8Array {
  if (typeof value !== 'string') {
    throw wrongElement(value, index, head);
  }
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
    throw invalid(`Input "${name}"`, `is ragged: ${describeJson(deeper)} beside single values.`);
  return flat;
}

/** What is wrong with the first value that is none of the datatype. */
function wrongElement(value: JsonValue | undefined, index: number, head: TensorHead): InferenceError {
  const { name, datatype } = head;
  if (Array.isArray(value))
    return invalid(`Input "${name}"`, `is ragged: ${describeJson(value)} beside single values.`);
  if (isInexact(value, datatype)) {
    return new UnsafeIntegerError(
      `Element ${index} of input "${name}"`,
      `is ${value}, which cannot be told exactly; write all its digits.`,
    );
  }
  return invalid(
    `Element ${index} of input "${name}"`,
    `is ${describeJson(value)}; expected ${describeElement(value, datatype)}.`,
  );
}
