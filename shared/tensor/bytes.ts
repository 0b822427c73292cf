import { invalid } from '../errors.ts';
import { bytesOf, DATATYPES, type Datatype } from './datatype.ts';
import type { Tensor } from './tensor.ts';

/**
 * A numeric tensor from its bytes: little-endian, row-major, without padding, as the binary tensor data extension of
 * the Open Inference Protocol has them. The elements are a view of the bytes where those are aligned, a copy of them
 * otherwise. The caller has checked that there are as many bytes as the shape says.
 *
 * @param field what to call the tensor in an error
 * @throws InferenceError for a BOOL that is neither 0 nor 1
 */
export function tensorFromBytes(
  datatype: Exclude<Datatype, 'BYTES'>,
  shape: readonly number[],
  bytes: Uint8Array,
  field: string,
): Tensor {
  if (datatype === 'BOOL') checkBools(bytes, field);
  const { elementBytes, view } = DATATYPES[datatype];
  // Not slice(): that of a Buffer is a view as well.
  const aligned = bytes.byteOffset % elementBytes === 0 ? bytes : new Uint8Array(bytes);
  return { datatype, shape, data: view(aligned.buffer, aligned.byteOffset, bytes.length / elementBytes) };
}

function checkBools(bytes: Uint8Array, field: string): void {
  const index = findAbove(bytes, 1);
  if (index !== -1) throw invalid(`Byte ${index} of ${field} is ${bytes[index]}; expected 0 or 1 (BOOL).`);
}

/** The index of the first byte above a limit; -1 if there is none. */
export function findAbove(bytes: Uint8Array, most: number): number {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] ?? 0) > most) return i;
  return -1;
}

/** The elements as bytes. Numbers are not copied; strings are UTF-8 after their length as a 4-byte number. */
export function tensorToBytes({ data }: Tensor): Uint8Array {
  return Array.isArray(data) ? joinElements(data.map((text) => Buffer.from(text, 'utf8'))) : bytesOf(data);
}

const LENGTH_BYTES = 4;

/**
 * The elements of a BYTES tensor: each a 4-byte little-endian length and that many bytes.
 *
 * @param field what to call the tensor in an error
 * @throws InferenceError when the bytes end inside an element, or there are more or fewer than `count`
 */
export function splitElements(bytes: Uint8Array, count: number, field: string): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: Uint8Array[] = [];
  let position = 0;
  while (elements.length < count && position + LENGTH_BYTES <= bytes.length) {
    const start = position + LENGTH_BYTES;
    const end = start + view.getUint32(position, true);
    if (end > bytes.length)
      throw invalid(`Element ${elements.length} of ${field} ends beyond its ${bytes.length} bytes.`);
    elements.push(bytes.subarray(start, end));
    position = end;
  }
  if (elements.length !== count || position !== bytes.length) {
    const found =
      position === bytes.length ? `${elements.length} elements` : `${bytes.length - position} bytes too many`;
    throw invalid(field, `has ${found} in its ${bytes.length} bytes; its shape says ${count} elements.`);
  }
  return elements;
}

function joinElements(elements: readonly Uint8Array[]): Uint8Array {
  const total = elements.reduce((sum, element) => sum + LENGTH_BYTES + element.length, 0);
  const joined = Buffer.alloc(total);
  let position = 0;
  for (const element of elements) {
    joined.writeUInt32LE(element.length, position);
    joined.set(element, position + LENGTH_BYTES);
    position += LENGTH_BYTES + element.length;
  }
  return joined;
}
