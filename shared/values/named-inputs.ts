import { invalid } from '../errors.ts';
import type { TensorSpec } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * A BYTES tensor as it came: text or bytes, one per element. What they mean is up to the model: strings for one that
 * takes strings, encoded images for one that takes images.
 */
export interface BytesInput {
  readonly datatype: 'BYTES';
  readonly shape: readonly number[];
  readonly elements: readonly (string | Uint8Array)[];
}

export type TensorInput = Tensor | BytesInput;

export type NamedInputs = ReadonlyMap<string, TensorInput>;

/**
 * How the instances of a request stand in its tensors: listed one after the other, so that the first axis of each tensor
 * counts them, wherever the graph has that axis; or as the graph has them, in a batch of which parts can be run; or as
 * one whole.
 */
export type Layout = 'instances' | 'batch' | 'whole';

export function isBytesInput(input: TensorInput): input is BytesInput {
  return 'elements' in input;
}

/** @throws InferenceError when a shape is not one the graph takes */
export function checkShape({ shape }: Pick<TensorInput, 'shape'>, spec: TensorSpec, field: string): void {
  if (spec.isRankDynamic) return;
  const fits =
    shape.length === spec.shape.length &&
    spec.shape.every((size, axis) => size === -1 || size === shape[axis]);
  if (fits) return;
  const hint = spec.shape.includes(-1) ? ', where -1 is any size' : '';
  throw invalid(field, `has the shape [${shape}]; expected [${spec.shape}]${hint}.`);
}
