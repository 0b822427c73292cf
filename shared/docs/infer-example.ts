import { isJsonObject, type JsonObject, type JsonValue } from '../json/parse-json.ts';
import type { TensorSpec } from '../runtime/session.ts';
import type { ModelFacts } from './describe-models.ts';

/**
 * The example of a predict request as an inference request of V2; undefined where it cannot be said in tensors of the
 * graph.
 */
export function toInferExample({ example, inputs, features }: ModelFacts): JsonObject | undefined {
  if (!example) return undefined;
  if (isJsonObject(example.inputs)) return fromTensors(example.inputs, inputs);
  const [input, ...others] = inputs;
  if (!input || others.length > 0) return undefined;
  const instances = Array.isArray(example.instances) ? example.instances : [example];
  const images = instances.map((instance) => memberOf(instance, 'image'));
  if (images.every((image) => typeof image === 'string')) {
    return { inputs: [{ name: input.name, datatype: 'BYTES', shape: [images.length], data: images }] };
  }
  const rows = instances.map((instance) => toRow(memberOf(instance, 'features') ?? instance, features));
  const width = rows[0]?.length ?? 0;
  if (width === 0 || rows.some((row) => row?.length !== width)) return undefined;
  const data = rows.flatMap((row) => row ?? []);
  return {
    inputs: [{ name: input.name, datatype: input.datatype, shape: [rows.length, width], data }],
  };
}

function fromTensors(values: JsonObject, specs: readonly TensorSpec[]): JsonObject | undefined {
  const tensors: JsonObject[] = [];
  for (const { name, datatype } of specs) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) return undefined;
    const shape: number[] = [];
    for (let level: JsonValue | undefined = value; Array.isArray(level); level = level[0])
      shape.push(level.length);
    tensors.push({ name, datatype, shape, data: shape.length === 0 ? [value] : value });
  }
  return { inputs: tensors };
}

function memberOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function toRow(value: JsonValue, features: ModelFacts['features']): JsonValue[] | undefined {
  if (Array.isArray(value)) return value;
  if (!isJsonObject(value) || !features) return undefined;
  const row = features.map(({ name }) => memberOf(value, name));
  return row.every((cell) => cell !== undefined) ? row : undefined;
}
