import type { JsonValue } from '../../json/parse-json.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { answerStyle, jsonAnswer } from '../codecs/answer.ts';
import { parseEnvelope } from '../codecs/envelope.ts';
import { contractOf } from '../codecs/model-contract.ts';
import { encodeRows } from '../codecs/predictions.ts';
import { decodeRows, kindOfValues } from '../codecs/rows.ts';
import { type Dialect, type Invocation, openModel, runTensors } from '../invocation.ts';
import type { ProtocolOptions } from '../protocol.ts';
import { asksForLabels, labelImages } from './label-images.ts';
import { restoreLists } from './restore-lists.ts';
import { predictRequest } from './schemas.ts';

/** Predict of Vertex AI as its containers answer it. */
export const invokeVertexAi: Dialect = async (invocation, options) =>
  jsonAnswer({ predictions: await predictInstances(invocation, options) }, options.config);

/**
 * One prediction for each instance, in their order: the outputs of the graph, or labels where an image model is asked
 * for them.
 *
 * @throws InferenceError
 */
export async function predictInstances(
  invocation: Invocation,
  options: ProtocolOptions,
): Promise<readonly WritableJson[]> {
  return await invocation.decode((json) => predictJson(json, invocation, options));
}

async function predictJson(
  json: JsonValue,
  invocation: Invocation,
  options: ProtocolOptions,
): Promise<readonly WritableJson[]> {
  const { config } = options;
  const restored = restoreLists(json, invocation.request.headers);
  const { instances, parameters } = parseEnvelope(predictRequest(), restored);
  const kind = kindOfValues(instances);
  const call = await openModel(invocation, options, kind, contractOf);
  if (call.seen.task === 'image-classification' && asksForLabels(instances, parameters)) {
    return await labelImages(call, options, instances, parameters);
  }
  const { outputs } = await runTensors(call, options, {
    kind,
    decode: (contract) => decodeRows(instances, 'instances', contract, config.limits),
    isBatch: true,
  });
  return encodeRows(outputs, answerStyle(config));
}
