import type { InferenceOutput } from '../../inference/input.ts';
import { type WritableJson, writeJson } from '../../json/write-json.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';
import { answerStyle, jsonAnswer } from '../codecs/answer.ts';
import { bestLabels } from '../codecs/best-labels.ts';
import { isLinesType } from '../codecs/lines.ts';
import { readImages } from '../codecs/media.ts';
import { encodePredictions } from '../codecs/predictions.ts';
import { imagesOf } from '../codecs/rows.ts';
import { type Invocation, runTask, runTensors } from '../invocation.ts';
import type { ProtocolOptions } from '../protocol.ts';
import { type AnswerType, encodeOutputs, JSON_TYPE, linesResponse } from './encode-answer.ts';

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
): Promise<Response> {
  const images = await readImages(invocation, options.config.limits);
  const style = answerStyle(options.config);
  if (type !== JSON_TYPE && !isLinesType(type)) {
    const { outputs } = await runTensors(invocation, options, {
      kind: 'image',
      decode: ({ imageInput, inputs }) =>
        new Map([[imageInput ?? inputs[0]?.name ?? '', imagesOf(images.map(({ value }) => value))]]),
    });
    return await encodeOutputs(outputs, type, style);
  }
  const { output } = await runTask(invocation, options, { kind: 'image', images });
  const answers = encodeImages(output, style);
  if (isLinesType(type)) {
    return linesResponse(
      answers.map((answer) => writeJson(answer, style.limitBytes)),
      type,
      style.limitBytes,
    );
  }
  const [first] = answers;
  return jsonAnswer(answers.length === 1 && first !== undefined ? first : answers, options.config);
}

function encodeImages(output: InferenceOutput, style: ElementStyle): readonly WritableJson[] {
  if (output.kind !== 'classification') return encodePredictions(output, style);
  return output.predictions.map(({ scores }) => bestLabels(scores, output.labels, TOP, style));
}
