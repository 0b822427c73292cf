import { answerStyle } from '../../answers/answer.ts';
import { writeScore } from '../../answers/best-labels.ts';
import type { Config } from '../../config.ts';
import { invalid } from '../../errors.ts';
import type { ModelUse } from '../../inference/model-use.ts';
import { isJsonObject, type JsonValue } from '../../json/json-value.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { topK } from '../../processing/classification.ts';
import { decodeImageValue } from '../../values/image-value.ts';
import type { Located } from '../../values/input.ts';
import { checkInstances, kindOfValues } from '../../values/instances.ts';
import { parseEnvelope } from '../body/envelope.ts';
import { labelEnvelope } from './schemas.ts';

/** As AutoML, where a request says nothing. */
const MOST_PREDICTIONS = 10;

/**
 * Whether a request is for labels as the image models of AutoML give them: its images stand under `content`, or a
 * parameter says how many labels are wanted, or how sure ones. All others get the outputs of the graph.
 */
export function asksForLabels(instances: readonly JsonValue[], parameters: JsonValue | undefined): boolean {
  const [first] = instances;
  if (isJsonObject(first) && Object.hasOwn(first, 'content')) return true;
  const names = isJsonObject(parameters) ? Object.keys(parameters) : [];
  const isSifted = names.includes('confidenceThreshold') || names.includes('maxPredictions');
  return isSifted && kindOfValues(first) === 'image';
}

/**
 * The best labels of each image, best first.
 * Source: Vertex AI's schemas of instances, parameters and predictions for image classification.
 *
 * @throws InferenceError
 */
export async function labelImages(
  model: ModelUse,
  config: Config,
  instances: readonly JsonValue[],
  parameters: JsonValue | undefined,
): Promise<readonly WritableJson[]> {
  const { parameters: given } = parseEnvelope(labelEnvelope(), { parameters: parameters ?? {} });
  const { confidenceThreshold = 0, maxPredictions = MOST_PREDICTIONS } = given;
  checkInstances(instances.length, 'instances', config.limits);
  const images = instances.map((instance, index): Located<Uint8Array> => {
    const field = `instances[${index}]`;
    return { value: decodeImageValue(instance, 'content', field), field };
  });
  const output = await model.predict({ kind: 'image', images });
  if (output.kind !== 'classification') throw invalid('This model gives no labels.');
  const { labels } = output;
  const style = answerStyle(config);
  return output.predictions.map(({ scores }) => {
    const best = topK(scores, maxPredictions).filter((id) => (scores[id] ?? 0) >= confidenceThreshold);
    return {
      ids: best.map(String),
      displayNames: best.map((id) => String(labels[id] ?? id)),
      confidences: best.map((id) => writeScore(scores[id], style)),
    };
  });
}
