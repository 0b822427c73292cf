import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { type InferenceError, invalid } from '../../errors.ts';
import type { InferenceOutput } from '../../inference/output.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import { type ElementStyle, writeTensor } from '../../tensor/write-tensor.ts';
import { checkInstances } from '../../values/instances.ts';
import { parseEnvelope } from '../body/envelope.ts';
import { holdsJson } from '../body/json-body.ts';
import type { Dialect, Invocation } from '../invocation.ts';
import { DATA_KEYS, vectorsRequest } from './schemas.ts';

/** Members that do not affect the vectors. */
const OTHER_MEMBERS = [
  'input',
  'dimensions',
  'encoding_format',
  'model',
  'user',
  'client_request_id',
  'usage_context',
];

/** Whether a request asks for vectors of texts, as embedding endpoints take it: with `input` and without data. */
export function asksForVectors(invocation: Invocation): boolean {
  if (!holdsJson(invocation)) return false;
  const json = invocation.json();
  return (
    isJsonObject(json) && Object.hasOwn(json, 'input') && !DATA_KEYS.some((key) => Object.hasOwn(json, key))
  );
}

/**
 * The vectors of texts as embedding endpoints of Databricks and MLflow's gateway give them: in the form of OpenAI.
 * Source: `QueryEndpointInput` and `QueryEndpointResponse` of the Databricks SDK; mlflow/gateway/schemas/embeddings.py.
 *
 * @throws InferenceError for a model that gives no vectors
 */
export const answerVectors: Dialect = async (invocation, { inference, config }) => {
  const asked = invocation.read((json) => readVectorsRequest(json));
  const { texts, dimensions } = asked.value;
  checkInstances(texts.length, 'input', config.limits);
  if (texts.length === 0) throw invalid('Field "input"', 'is empty; expected at least one text.');
  const { value: data, usage } = await inference.use(
    { ...invocation.choice, kind: 'text' },
    invocation,
    async ({ contract, reference, predict }) => {
      if (contract.kind !== 'text' || contract.gives !== 'embedding')
        throw noVectors(reference.name, contract.task);
      const output = await predict({
        kind: 'text',
        texts,
        options: dimensions == null ? undefined : { dimensions: { value: dimensions, field: 'dimensions' } },
      });
      return encodeVectors(output, answerStyle(config));
    },
  );
  return { response: jsonAnswer({ object: 'list', model: usage.reference.name, data }, config), usage };
};

function readVectorsRequest(json: JsonValue) {
  const { input, dimensions } = parseEnvelope(vectorsRequest(), json);
  checkMembers(isJsonObject(json) ? json : {});
  const texts =
    typeof input === 'string'
      ? [{ value: input, field: 'input' }]
      : input.map((value, index) => ({ value, field: `input[${index}]` }));
  return { texts, dimensions };
}

/** An unknown member could change the numbers, so it is refused. */
function checkMembers(json: JsonObject): void {
  const unknown = Object.entries(json).find(
    ([key, value]) => !OTHER_MEMBERS.includes(key) && !isEmpty(value),
  );
  if (!unknown) return;
  const known = OTHER_MEMBERS.map((key) => `"${key}"`).join(', ');
  throw invalid(
    'The request',
    `has ${JSON.stringify(unknown[0].slice(0, 60))} beside "input"; expected only ${known}.`,
  );
}

function isEmpty(value: JsonValue): boolean {
  return value === null || (isJsonObject(value) && Object.keys(value).length === 0);
}

function noVectors(model: string, task: string): InferenceError {
  return invalid(
    'Field "input"',
    `is for models that make vectors of texts; model "${model}" is for ${task}, so expected one of ${DATA_KEYS.map((key) => `"${key}"`).join(', ')}.`,
  );
}

function encodeVectors(output: InferenceOutput, style: ElementStyle) {
  const vectors = output.kind === 'embedding' ? output.predictions : [];
  return vectors.map((vector, index) => {
    if (vector.shape.length !== 1) {
      throw invalid('This model gives a vector for each token, because its config does not set pooling.');
    }
    return { object: 'embedding', index, embedding: writeTensor(vector, style) };
  });
}
