import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { bestLabels } from '../../answers/best-labels.ts';
import { encodePredictions } from '../../answers/predictions.ts';
import type { Answer } from '../../http/context.ts';
import type { InferenceOutput } from '../../inference/output.ts';
import { type WritableJson, writeJson } from '../../json/write-json.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';
import { imagesOf } from '../../values/instances.ts';
import { isLinesType } from '../../values/lines.ts';
import { readImages } from '../body/media.ts';
import type { Payload } from '../body/payload.ts';
import { type AnswerType, JSON_TYPE } from '../headers/answer-type.ts';
import { type Invocation, predictInput, readingOf, runPayload } from '../invocation.ts';
import type { ProtocolOptions } from '../operation.ts';
import { encodeOutputs, linesResponse } from './encode-answer.ts';

/** How many labels an image gets, as in the pipelines of Hugging Face. */
const TOP = 5;

/**
 * The answer to images: their labels with scores, best first, or their vectors, where JSON is asked for; the model's
 * outputs otherwise. One image has a list of labels, several in a form have a list of such lists.
 * Source: image classification of Hugging Face's SageMaker container.
 */
export async function answerImages(
  invocation: Invocation,
  options: ProtocolOptions,
  type: AnswerType,
): Promise<Answer> {
  const images = await readImages(invocation, options.config.limits);
  const style = answerStyle(options.config);
  if (type !== JSON_TYPE && !isLinesType(type)) {
    const payload: Payload = {
      kind: 'image',
      isBatch: true,
      toInputs: ({ imageInput, inputs }) =>
        new Map([[imageInput ?? inputs[0]?.name ?? '', imagesOf(images.map(({ value }) => value))]]),
    };
    const { value, usage } = await runPayload(invocation, options, readingOf(payload));
    return { response: await encodeOutputs(value, type, style), usage };
  }
  const { value, usage } = await predictInput(invocation, options, { kind: 'image', images });
  const answers = encodeImages(value, style);
  if (isLinesType(type)) {
    const lines = answers.map((answer) => writeJson(answer, style.limitBytes));
    return { response: linesResponse(lines, type, style.limitBytes), usage };
  }
  const [first] = answers;
  const body = answers.length === 1 && first !== undefined ? first : answers;
  return { response: jsonAnswer(body, options.config), usage };
}

function encodeImages(output: InferenceOutput, style: ElementStyle): readonly WritableJson[] {
  if (output.kind !== 'classification') return encodePredictions(output, style);
  return output.predictions.map(({ scores }) => bestLabels(scores, output.labels, TOP, style));
}
