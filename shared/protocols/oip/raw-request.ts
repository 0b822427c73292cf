import { invalid } from '../../errors.ts';
import { sniffImageType } from '../../processing/image/sniff.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { tensorFromBytes } from '../../tensor/bytes.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { elementCount } from '../../tensor/tensor.ts';
import type { TensorInput } from '../../values/named-inputs.ts';

/**
 * A body that is nothing but one tensor: for models with one input and at most one open axis. An open first axis is
 * a batch of one where another axis is open as well; the open axis takes what the bytes say. Text is the one element
 * of a BYTES input.
 * Source: raw binary request of Triton's binary tensor data extension.
 *
 * @throws InferenceError when the model takes no such request, or the bytes make no whole tensor
 */
export function decodeRawTensor(bytes: Uint8Array, inputs: readonly TensorSpec[]): Map<string, TensorInput> {
  const [spec, ...others] = inputs;
  if (!spec || others.length > 0) {
    throw invalid(`A raw request is for models with one input; this one has ${inputs.length}.`);
  }
  // An image file sent to a model of images: numbers begin like one only by accident.
  if (spec.shape.length === 4 && sniffImageType(bytes) !== undefined) {
    return new Map([[spec.name, { datatype: 'BYTES', shape: [1], elements: [bytes] }]]);
  }
  const shape = [...spec.shape];
  if (shape.filter((size) => size === -1).length > 1) shape[0] = 1;
  const open = shape.indexOf(-1);
  if (shape.indexOf(-1, open + 1) !== -1 && open !== -1) {
    throw invalid(`A raw request is for inputs with one open axis; "${spec.name}" is [${spec.shape}].`);
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
