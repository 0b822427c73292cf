import { invalid } from '../../errors.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { InferenceOutput, Located } from '../../inference/input.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/parse-json.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { parseEnvelope } from '../codecs/envelope.ts';
import { isBase64Object } from '../codecs/image-value.ts';
import { checkInstances } from '../codecs/rows.ts';
import { type Dialect, type Invocation, runTask } from '../invocation.ts';
import type { ProtocolOptions } from '../protocol.ts';
import { examplesRequest } from './schemas.ts';

/** Classify of TensorFlow Serving: for each example, all labels with their scores. */
export const classify: Dialect = async (invocation, options) => {
  const output = await runExamples(invocation, options);
  if (output.kind !== 'classification')
    throw invalid('This model is no classifier; use :predict or :regress.');
  const { labels } = output;
  const results = output.predictions.map(({ scores }) =>
    Array.from(scores, (score, index): WritableJson => [String(labels[index] ?? ''), score]),
  );
  return jsonResponse({ results });
};

/** Regress of TensorFlow Serving: one number for each example. */
export const regress: Dialect = async (invocation, options) => {
  const output = await runExamples(invocation, options);
  if (output.kind !== 'regression') throw invalid('This model is no regressor; use :predict or :classify.');
  return jsonResponse({ results: output.predictions });
};

async function runExamples(invocation: Invocation, options: ProtocolOptions): Promise<InferenceOutput> {
  const { context = {}, examples } = parseEnvelope(examplesRequest, invocation.json());
  if (examples.length === 0) throw invalid('Field "examples" is empty; expected at least one example.');
  checkInstances(examples.length, 'examples', options.config.limits);
  const rows = examples.map((example, index) => readExample(example, context, `examples[${index}]`));
  return (await runTask(invocation, options, { kind: 'features', rows })).output;
}

/** An example with the features all share; where both have one, its own wins. */
function readExample(example: JsonValue, context: JsonObject, field: string): Located<JsonValue> {
  if (!isJsonObject(example)) {
    throw invalid(`Field "${field}" is ${describeJson(example)}; expected an object of features by name.`);
  }
  const features = Object.entries({ ...context, ...example }).map(([name, value]): [string, JsonValue] => [
    name,
    readFeature(value, `${field}.${name}`),
  ]);
  return { value: Object.fromEntries(features), field };
}

/** A feature is one value or a list of values of one kind; lists of one are what TensorFlow's own clients send. */
function readFeature(value: JsonValue, field: string): JsonValue {
  const values = Array.isArray(value) ? value : [value];
  const kinds = new Set(values.map(kindOf));
  if (kinds.size > 1) {
    throw invalid(`Field "${field}" mixes ${[...kinds].join(' and ')}; expected values of one kind.`);
  }
  const [only = null, ...others] = values;
  if (others.length > 0) return values;
  return isBase64Object(only) ? Buffer.from(only.b64, 'base64').toString() : only;
}

function kindOf(value: JsonValue): string {
  if (typeof value === 'string' || isBase64Object(value)) return 'texts';
  return typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint'
    ? 'numbers'
    : 'other values';
}
