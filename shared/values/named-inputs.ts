import { invalid } from '../errors.ts';
import type { TensorSpec } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A text or bytes; null where a text is missing. */
export type BytesElement = string | Uint8Array | null;

/**
 * A BYTES tensor as it came: text or bytes, one per element. Their meaning depends on the model: strings for one that
 * takes strings, encoded images for one that takes images.
 */
export interface BytesInput {
  readonly datatype: 'BYTES';
  readonly shape: readonly number[];
  readonly elements: readonly BytesElement[];
}

export type TensorInput = Tensor | BytesInput;

export type NamedInputs = ReadonlyMap<string, TensorInput>;

/**
 * How the instances of a request stand in its tensors: listed one after the other, so that the first axis of each
 * tensor counts them, wherever the graph has that axis; in the layout of the graph, as a batch whose parts can be run;
 * or as one whole.
 */
export type Layout = 'instances' | 'batch' | 'whole';

/**
 * An element that must not be missing.
 *
 * @throws InferenceError for a missing one
 */
export function expectElement(element: BytesElement, index: number, name: string): string | Uint8Array {
  if (element !== null) return element;
  throw invalid(`Element ${index} of input "${name}"`, 'is null; expected a string.');
}

export function isBytesInput(input: TensorInput): input is BytesInput {
  return 'elements' in input;
}

/**
 * The shape that an input has for the graph: as it came, or with one axis of size 1 more or less at its end, which
 * changes nothing: `[1]` for a scalar, `[N]` for `[N,1]`, `[N,1]` for `[N]`.
 *
 * @throws InferenceError when the graph does not take it
 */
export function fitShape(
  { shape }: Pick<TensorInput, 'shape'>,
  spec: TensorSpec,
  field: string,
): readonly number[] {
  if (spec.isRankDynamic || fits(shape, spec)) return shape;
  if (shape.at(-1) === 1 && fits(shape.slice(0, -1), spec)) return shape.slice(0, -1);
  if (spec.shape.at(-1) === 1 && fits([...shape, 1], spec)) return [...shape, 1];
  const hint = spec.shape.includes(-1) ? ', where -1 is any size' : '';
  throw invalid(field, `has the shape [${shape}]; expected [${spec.shape}]${hint}.`);
}

function fits(shape: readonly number[], { shape: expected }: TensorSpec): boolean {
  return (
    shape.length === expected.length && expected.every((size, axis) => size === -1 || size === shape[axis])
  );
}
