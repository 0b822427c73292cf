import { invalid } from '../../errors.ts';
import type { Model } from '../../inference/load-model.ts';
import type { ScoreStep } from '../../processing/registry.ts';
import { answerStyle, jsonAnswer } from '../codecs/answer.ts';
import { contractOf } from '../codecs/model-contract.ts';
import { type Dialect, type Invocation, openModel, runTask } from '../invocation.ts';
import type { ProtocolOptions } from '../protocol.ts';
import { readParameters } from './parameters.ts';
import { encodeTaskError } from './task-error.ts';
import { kindOfInputs, parseTaskRequest, readFiles, type TaskRequest } from './task-request.ts';
import { TASK_FORMATS } from './tasks.ts';

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
): Promise<Response> {
  invocation.record.encodeError ??= encodeTaskError;
  const answer = (request: TaskRequest) => answerTask(request, invocation, options, expected);
  const files = await readFiles(invocation, options.config.limits);
  return files ? await answer(files) : await invocation.decode((json) => answer(parseTaskRequest(json)));
}

async function answerTask(
  asked: TaskRequest,
  invocation: Invocation,
  options: ProtocolOptions,
  expected: string | undefined,
): Promise<Response> {
  const { config } = options;
  const { inputs } = asked;
  const call = await openModel(invocation, options, kindOfInputs(inputs), (model) => ({
    contract: contractOf(model),
    steps: stepsOf(model),
  }));
  const { contract, steps } = call.seen;
  const { task } = contract;
  if (expected !== undefined && expected !== task) {
    throw invalid(`Model "${call.model}" is for ${task}, not for ${JSON.stringify(expected.slice(0, 60))}.`);
  }
  const format = TASK_FORMATS[task];
  const parameters = readParameters(
    asked,
    new URL(invocation.request.url).searchParams,
    task,
    format.parameters,
  );
  const input = format.decode(inputs, contract, config.limits);
  const { output } = await runTask(call, options, input);
  const style = answerStyle(config);
  return jsonAnswer(format.encode({ output, inputs, parameters, steps, style }), config);
}

function stepsOf({ config }: Model): readonly ScoreStep[] {
  return 'postprocess' in config ? config.postprocess : [];
}
