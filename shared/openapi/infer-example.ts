import { hasOnly, isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { measureNesting } from '../json/nesting.ts';
import type { TensorSpec } from '../runtime/session.ts';
import type { ModelFacts } from './describe-models.ts';

/**
 * The example of a predict request as a V2 inference request; undefined if it cannot be expressed in tensors of the
 * graph.
 */
export function toInferExample(facts: ModelFacts): JsonObject | undefined {
  const { example, inputs, features, textInput } = facts;
  if (!example) return undefined;
  if (isJsonObject(example.inputs)) return fromTensors(example.inputs, inputs);
  const texts = textsOf(facts);
  if (textInput && texts) {
    return { inputs: [{ name: textInput.name, datatype: 'BYTES', shape: [texts.length], data: texts }] };
  }
  const [input, ...others] = inputs;
  if (!input || others.length > 0) return undefined;
  const instances = instancesOf(example);
  const images = instances.map((instance) => memberOf(instance, 'image'));
  if (images.every((image) => typeof image === 'string')) {
    return { inputs: [{ name: input.name, datatype: 'BYTES', shape: [images.length], data: images }] };
  }
  const rows = readRows(instances, features);
  const width = rows?.[0]?.length ?? 0;
  return (
    rows && {
      inputs: [
        { name: input.name, datatype: input.datatype, shape: [rows.length, width], data: rows.flat() },
      ],
    }
  );
}

/** The rows of the example of a model with one input of features, each in the model's order. */
export function rowsOf({ kind, example, inputs, features }: ModelFacts): JsonValue[][] | undefined {
  if (!example || kind !== 'features' || inputs.length !== 1) return undefined;
  return readRows(instancesOf(example), features);
}

/** The texts of the example of a text model; undefined if they are pairs, or if there are none. */
export function textsOf({ kind, example }: ModelFacts): string[] | undefined {
  if (!example || kind !== 'text') return undefined;
  const instances = instancesOf(example);
  const texts = instances.flatMap((instance) => {
    const text = hasOnly(instance, 'text') ? instance.text : undefined;
    return typeof text === 'string' ? [text] : [];
  });
  return texts.length === instances.length ? texts : undefined;
}

function instancesOf(example: JsonObject): readonly JsonValue[] {
  return Array.isArray(example.instances) ? example.instances : [example];
}

function readRows(
  instances: readonly JsonValue[],
  features: ModelFacts['features'],
): JsonValue[][] | undefined {
  const rows = instances.flatMap((instance) => {
    const row = toRow(memberOf(instance, 'features') ?? instance, features);
    return row ? [row] : [];
  });
  const width = rows[0]?.length ?? 0;
  const isWhole = rows.length === instances.length && rows.every((row) => row.length === width);
  return width > 0 && isWhole ? rows : undefined;
}

function fromTensors(values: JsonObject, specs: readonly TensorSpec[]): JsonObject | undefined {
  const tensors: JsonObject[] = [];
  for (const { name, datatype } of specs) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) return undefined;
    const { shape } = measureNesting(value);
    tensors.push({ name, datatype, shape: [...shape], data: shape.length === 0 ? [value] : value });
  }
  return { inputs: tensors };
}

function memberOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function toRow(value: JsonValue, features: ModelFacts['features']): JsonValue[] | undefined {
  if (Array.isArray(value)) return value;
  if (!isJsonObject(value) || !features?.named) return undefined;
  const row = features.named.map(({ name }) => memberOf(value, name));
  return row.every((cell) => cell !== undefined) ? row : undefined;
}
