import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { encodeRows } from '../../answers/predictions.ts';
import type { Used } from '../../inference/inference.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { decodeRows, kindOfValues } from '../../values/instances.ts';
import { parseEnvelope } from '../body/envelope.ts';
import type { Dialect, Invocation } from '../invocation.ts';
import type { ProtocolOptions } from '../operation.ts';
import { asksForLabels, labelImages } from './label-images.ts';
import { restoreLists } from './restore-lists.ts';
import { predictRequest } from './schemas.ts';

/** Predict of Vertex AI as its containers answer it. */
export const invokeVertexAi: Dialect = async (invocation, options) => {
  const { value: predictions, usage } = await predictInstances(invocation, options);
  return { response: jsonAnswer({ predictions }, options.config), usage };
};

/**
 * One prediction for each instance, in their order: the outputs of the graph, or labels where an image model is asked
 * for them.
 *
 * @throws InferenceError
 */
export async function predictInstances(
  invocation: Invocation,
  { inference, config }: ProtocolOptions,
): Promise<Used<readonly WritableJson[]>> {
  const { headers } = invocation.request;
  const reading = invocation.read((json) => parseEnvelope(predictRequest(), restoreLists(json, headers)));
  const choice = { ...invocation.choice, kind: kindOfValues(reading.value.instances) };
  return await inference.use(choice, invocation, (model) =>
    reading.bind(async ({ instances, parameters }) => {
      const { contract } = model;
      const isOfLabels = contract.kind === 'image' && contract.gives === 'classification';
      if (isOfLabels && asksForLabels(instances, parameters)) {
        return await labelImages(model, config, instances, parameters);
      }
      const inputs = decodeRows(instances, 'instances', contract, config.limits);
      return encodeRows(await model.run(inputs, { isBatch: true }), answerStyle(config));
    }),
  );
}
