import { invalid } from '../errors.ts';
import type { Session, TensorSpec } from '../runtime/session.ts';
import { castTensor } from '../tensor/cast.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkShape, isBytesInput, type NamedInputs, type TensorInput } from '../values/named-inputs.ts';

/**
 * Holds inputs to what the graph says of them: names, datatypes (cast where that is safe), ranks and sizes. The
 * runtime itself ignores unknown names in silence, and its own errors carry paths.
 *
 * @throws InferenceError naming the input, what came and what is expected
 */
export function checkFeeds(inputs: NamedInputs, { inputs: specs }: Session): Map<string, Tensor> {
  checkNames(inputs, specs);
  return new Map(
    specs.map((spec) => {
      const input = inputs.get(spec.name);
      if (!input)
        throw invalid(`Input "${spec.name}"`, `is missing; the model takes ${describeNames(specs)}.`);
      return [spec.name, checkFeed(input, spec)];
    }),
  );
}

/** @throws InferenceError for an input the model does not have */
export function checkNames(inputs: NamedInputs, specs: readonly TensorSpec[]): void {
  for (const name of inputs.keys()) {
    if (!specs.some((spec) => spec.name === name)) {
      throw invalid(
        `There is no input ${JSON.stringify(name.slice(0, 100))}; the model takes ${describeNames(specs)}.`,
      );
    }
  }
}

/** @throws InferenceError for an output the model does not have */
export function checkFetches(names: readonly string[], { outputs: specs }: Session): readonly string[] {
  const unknown = names.find((name) => !specs.some((spec) => spec.name === name));
  if (unknown === undefined) return names;
  throw invalid(
    `There is no output ${JSON.stringify(unknown.slice(0, 100))}; the model gives ${describeNames(specs)}.`,
  );
}

function describeNames(specs: readonly TensorSpec[]): string {
  return specs.map(({ name }) => `"${name}"`).join(', ') || 'none';
}

function checkFeed(input: TensorInput, spec: TensorSpec): Tensor {
  const field = `Input "${spec.name}"`;
  checkShape(input, spec, field);
  if (!isBytesInput(input)) return castTensor(input, spec.datatype, field);
  if (spec.datatype !== 'BYTES') throw invalid(field, `has the datatype BYTES; expected ${spec.datatype}.`);
  return {
    datatype: 'BYTES',
    shape: input.shape,
    data: input.elements.map((element, i) => toText(element, i, field)),
  };
}

/** The runtime takes strings as UTF-8 without NUL: it would cut them there in silence. */
function toText(element: string | Uint8Array, index: number, field: string): string {
  const text = typeof element === 'string' ? element : decodeUtf8(element, index, field);
  if (text.includes('\0'))
    throw invalid(`Element ${index} of ${field} has a NUL character, which strings cannot hold.`);
  if (!text.isWellFormed()) throw invalid(`Element ${index} of ${field} has half of a surrogate pair.`);
  return text;
}

function decodeUtf8(bytes: Uint8Array, index: number, field: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(`Element ${index} of ${field} is not valid UTF-8, which the strings of this model are.`);
  }
}
