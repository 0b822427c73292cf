import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { isJsonObject, type JsonValue } from '../../json/json-value.ts';
import { measureNesting } from '../../json/nesting.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { appendPath } from '../../tensor/nested.ts';
import { describeInputs, type ModelContract } from '../../values/contract.ts';
import { isBase64Object } from '../../values/image-value.ts';
import { decodeColumns, decodeRows } from '../../values/instances.ts';
import type { NamedInputs } from '../../values/named-inputs.ts';
import { parseTensorValues } from '../../values/nested-values.ts';
import type { Payload, Payloads } from './read-payloads.ts';

export interface DecodedValues {
  readonly inputs: NamedInputs;
  /** Whether each payload is one instance; otherwise the only one brings all of them. */
  readonly areInstances: boolean;
}

/**
 * Tensors of numbers or texts. A single list that has as many levels as the input has axes is taken as it is; lists
 * with one level less are instances, which are stacked, as TorchServe's handlers stack the requests of a batch.
 *
 * @throws InferenceError naming the item, what came and what is expected
 */
export function decodeValues(
  { payloads, isBatch }: Payloads,
  contract: ModelContract,
  limits: Limits,
): DecodedValues {
  const located = payloads.map((payload) => ({ ...payload, value: toJson(payload, contract) }));
  const [first, ...others] = located;
  const [spec, ...more] = contract.inputs;
  if (!first || !spec) throw invalid('This model takes no inputs.');
  const isOne = others.length === 0 && !isBatch;
  const values = located.map(({ value }) => value);
  if (isOne && isNamed(first.value)) {
    return { inputs: decodeColumns(first.value, first.field, contract, limits), areInstances: false };
  }
  if (more.length > 0 || isNamed(first.value)) {
    const field = first.field.replace(/\[\d+\].*$/, '');
    return { inputs: decodeRows(values, field, contract, limits), areInstances: true };
  }
  if (isOne && isWhole(first.value, spec)) {
    const tensor = parseTensorValues(first.value, spec, first.field, limits);
    return { inputs: new Map([[spec.name, tensor]]), areInstances: false };
  }
  const locate = ([index = 0, ...rest]: readonly number[]) =>
    appendPath(located[index]?.field ?? first.field, rest);
  const tensor = parseTensorValues(values, spec, first.field, limits, locate);
  return { inputs: new Map([[spec.name, tensor]]), areInstances: true };
}

/** Bytes that are no JSON can only be text. */
function toJson({ value, field }: Payload, contract: ModelContract): JsonValue {
  if (!(value instanceof Uint8Array)) return value;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    throw invalid(
      `Field "${field}"`,
      `is neither JSON nor text; this model takes the inputs ${describeInputs(contract)}.`,
    );
  }
}

function isNamed(value: JsonValue): boolean {
  return isJsonObject(value) && !isBase64Object(value);
}

/** A flat list for a column of width 1 has all its rows, although it has one level less. */
function isWhole(value: JsonValue, { shape, isRankOpen }: TensorSpec): boolean {
  const rank = measureNesting(value).shape.length;
  return isRankOpen === true || rank >= shape.length || (rank === shape.length - 1 && shape.at(-1) === 1);
}
