import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { decodeBase64 } from '../../http/base64.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import type { ModelContract } from '../../values/contract.ts';
import { isBase64Object } from '../../values/image-value.ts';
import type { FieldValue, InferenceInput } from '../../values/input.ts';
import { checkInstances, unwrapSingle } from '../../values/instances.ts';
import { decodeTextValue } from '../../values/text-value.ts';
import { parseEnvelope } from '../body/envelope.ts';
import type { Invocation, Reading } from '../invocation.ts';
import { examplesRequest } from './schemas.ts';

/**
 * Reads the examples of a request, each with the features of the context, which all share.
 *
 * @throws InferenceError naming the example and the feature
 */
export function readExamples(
  invocation: Invocation,
  limits: Limits,
): Reading<readonly FieldValue<JsonObject>[]> {
  return invocation.read((json) => {
    const { context = {}, examples } = parseEnvelope(examplesRequest(), json);
    if (examples.length === 0) throw invalid('Field "examples"', 'is empty; expected at least one example.');
    checkInstances(examples.length, 'examples', limits);
    // Each example becomes a copy of the shared features.
    const copies = Object.keys(context).length * examples.length;
    invocation.budget.spend('values', copies, 'Field "context"');
    return examples.map((example, index) => readExample(example, context, `examples[${index}]`));
  });
}

/** An example with the shared features; if both have a feature, its own wins. */
function readExample(example: JsonValue, context: JsonObject, field: string): FieldValue<JsonObject> {
  if (!isJsonObject(example)) {
    throw invalid(`Field "${field}"`, `is ${describeJson(example)}; expected an object of features by name.`);
  }
  const features = { ...context, ...example };
  for (const [name, value] of Object.entries(features)) checkKind(value, `${field}.${name}`);
  return { value: features, field };
}

/** Features as the model's task takes them: an encoded image, a text or a pair, the only input by its name, or columns. */
export function toInput(
  examples: readonly FieldValue<JsonObject>[],
  contract: ModelContract,
): InferenceInput {
  const { imageInput, textInput } = contract;
  if (imageInput !== undefined) return { kind: 'image', images: examples.map(readImage) };
  if (textInput) {
    const texts = examples.map(({ value, field }) => ({
      value: decodeTextValue(value, textInput, field),
      field,
    }));
    return { kind: 'text', texts };
  }
  const [only, ...others] = contract.inputs;
  const rows = examples.map(({ value, field }): FieldValue<JsonValue> => {
    const names = Object.keys(value);
    const isWhole = only !== undefined && others.length === 0 && names.length === 1 && names[0] === only.name;
    if (isWhole && Array.isArray(value[only.name])) {
      return { value: value[only.name] ?? null, field: `${field}.${only.name}` };
    }
    const features = names.map((name): [string, JsonValue] => [name, unwrapSingle(value[name] ?? null)]);
    return { value: Object.fromEntries(features), field };
  });
  return { kind: 'features', rows };
}

/** Models of TensorFlow call the feature `image/encoded`, `image_bytes` or something else: here it is the only one. */
function readImage({ value, field }: FieldValue<JsonObject>): FieldValue<Uint8Array> {
  const [[name, feature] = ['', null], ...others] = Object.entries(value);
  const image = unwrapSingle(feature);
  if (others.length > 0 || !isBase64Object(image)) {
    throw invalid(
      `Field "${field}"`,
      `is ${describeJson(value)}; this model takes one feature with an image, as {"b64": "…"}.`,
    );
  }
  return { value: decodeBase64(image.b64, `${field}.${name}`), field: `${field}.${name}` };
}

/** A feature is one value or a list of values of one kind. */
function checkKind(value: JsonValue, field: string): void {
  const kinds = new Set((Array.isArray(value) ? value : [value]).map(kindOf));
  if (kinds.size > 1) {
    throw invalid(`Field "${field}"`, `mixes ${[...kinds].join(' and ')}; expected values of one kind.`);
  }
  const [kind] = kinds;
  if (kind === 'other values')
    throw invalid(`Field "${field}"`, `is ${describeJson(value)}; expected numbers or texts.`);
}

/** A missing number is one of the numbers. */
function kindOf(value: JsonValue): 'texts' | 'numbers' | 'other values' {
  if (typeof value === 'string' || isBase64Object(value)) return 'texts';
  const isNumber = value === null || ['boolean', 'number', 'bigint'].includes(typeof value);
  return isNumber ? 'numbers' : 'other values';
}
