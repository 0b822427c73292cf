import { isJsonObject } from '../../../shared/json/json-value.ts';
import type { InferenceInput } from '../../../shared/values/input.ts';

/**
 * Tensors by the names of one model, for another one with as many inputs: those that it does not know it gets in the
 * place where the first one has them, as two exports of a model seldom name their inputs alike.
 */
export function renameInputs(
  input: InferenceInput,
  own: readonly string[],
  other: readonly string[],
): InferenceInput {
  if (input.kind !== 'tensors' || own.length !== other.length) return input;
  const { value, field } = input.tensors;
  if (!isJsonObject(value) || Object.keys(value).some((name) => !other.includes(name))) return input;
  const named = Object.entries(value).map(([name, tensor]) => [
    own.includes(name) ? name : (own[other.indexOf(name)] ?? name),
    tensor,
  ]);
  return { kind: 'tensors', tensors: { value: Object.fromEntries(named), field } };
}
