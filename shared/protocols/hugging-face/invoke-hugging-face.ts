import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import type { Answer } from '../../http/context.ts';
import type { ModelUse } from '../../inference/model-use.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { answerWith } from '../answer.ts';
import { type Dialect, type Invocation, type Reading, readingOf } from '../invocation.ts';
import type { ProtocolOptions } from '../operation.ts';
import { readParameters } from './parameters.ts';
import { encodeTaskError } from './task-error.ts';
import { kindOfInputs, parseTaskRequest, readFiles, type TaskRequest } from './task-request.ts';
import { formatOf } from './tasks.ts';

/**
 * A request to an Inference Endpoint of Hugging Face: `inputs` and `parameters`, a table, or an image as the body
 * itself. The task of the model decides what they mean.
 * Source: huggingface-inference-toolkit, and what the clients of Python and JavaScript send and take.
 */
export const invokeHuggingFace: Dialect = async (invocation, options) =>
  await invokeTask(invocation, options, undefined);

/**
 * The same where the path tells the task.
 *
 * @param expected the task the model must have; undefined for any
 * @throws InferenceError
 */
export async function invokeTask(
  invocation: Invocation,
  options: ProtocolOptions,
  expected: string | undefined,
): Promise<Answer> {
  const { context, encodeError = encodeTaskError } = invocation;
  return await answerWith(context.requestId, encodeError, async () => {
    const request = await readTaskRequest(invocation, options.config.limits);
    const choice = { ...invocation.choice, kind: kindOfInputs(request.value.inputs) };
    const { value, usage } = await options.inference.use(choice, invocation, (model) =>
      request.bind((asked) => answerTask(asked, model, invocation, options, expected)),
    );
    return { response: jsonAnswer(value, options.config), usage };
  });
}

async function readTaskRequest(invocation: Invocation, limits: Limits): Promise<Reading<TaskRequest>> {
  const files = await readFiles(invocation, limits);
  return files ? readingOf(files) : invocation.read(parseTaskRequest);
}

async function answerTask(
  asked: TaskRequest,
  { contract, model, predict }: ModelUse,
  invocation: Invocation,
  { config }: ProtocolOptions,
  expected: string | undefined,
): Promise<WritableJson> {
  const { inputs } = asked;
  const { task } = contract;
  if (expected !== undefined && expected !== task) {
    const { name } = model.reference;
    throw invalid(`Model "${name}"`, `is for ${task}, not for ${JSON.stringify(expected.slice(0, 60))}.`);
  }
  const format = formatOf(contract);
  const { searchParams } = new URL(invocation.request.url);
  const parameters = readParameters(asked, searchParams, task, format.parameters);
  const output = await predict(format.decode(inputs, contract, config.limits));
  const steps = model.task.postprocessor?.scoreSteps ?? [];
  return format.encode({ output, inputs, parameters, steps, style: answerStyle(config) });
}
