import { jsonResponse } from '../../http/respond.ts';
import type { InferenceOutput } from '../../inference/input.ts';
import { type WritableJson, writeJson } from '../../json/write-json.ts';
import { topK } from '../../processing/classification.ts';
import { isLinesType } from '../codecs/lines.ts';
import { readImages } from '../codecs/media.ts';
import { imagesOf } from '../codecs/rows.ts';
import { type Invocation, runTask, runTensors } from '../invocation.ts';
import type { ProtocolOptions } from '../protocol.ts';
import { type AnswerType, encodeOutputs, JSON_TYPE, linesResponse } from './encode-answer.ts';

/** How many labels an image gets, as in the pipelines of Hugging Face. */
const TOP = 5;

/**
 * The answer to images: their labels with scores, best first, where JSON is asked for; the model's outputs otherwise.
 * One image has a list of labels, several in a form have a list of such lists.
 * Source: image classification of Hugging Face's SageMaker container.
 */
export async function answerImages(
  invocation: Invocation,
  options: ProtocolOptions,
  type: AnswerType,
): Promise<Response> {
  const images = await readImages(invocation, options.config.limits);
  if (type !== JSON_TYPE && !isLinesType(type)) {
    const { outputs } = await runTensors(invocation, options, {
      kind: 'image',
      decode: ({ imageInput, inputs }) =>
        new Map([[imageInput ?? inputs[0]?.name ?? '', imagesOf(images.map(({ value }) => value))]]),
    });
    return await encodeOutputs(outputs, type, { nonFinite: options.config.nonFiniteJson });
  }
  const { output } = await runTask(invocation, options, { kind: 'image', images });
  const labelled = labelsOf(output);
  if (isLinesType(type)) return linesResponse(labelled.map(writeJson), type);
  const [first] = labelled;
  return jsonResponse(labelled.length === 1 && first !== undefined ? first : labelled);
}

function labelsOf(output: InferenceOutput): readonly WritableJson[] {
  if (output.kind !== 'classification') return [];
  return output.predictions.map(({ scores }) =>
    topK(scores, TOP).map(
      (index): WritableJson => ({ label: String(output.labels[index] ?? index), score: scores[index] }),
    ),
  );
}
