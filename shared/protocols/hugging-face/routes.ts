import type { Context } from 'hono';
import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { invalid } from '../../errors.ts';
import type { Answer, AppEnvironment } from '../../http/context.ts';
import type { ModelUse } from '../../inference/model-use.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { answerWith } from '../answer.ts';
import { type Dialect, type Invocation, readInvocation } from '../invocation.ts';
import type { Handler, Operation, Protocol, ProtocolOptions, SchemaMaker } from '../operation.ts';
import { kindOfInputs, readParameters, readTaskRequest, type TaskRequest } from './decode.ts';
import { encodeTaskError } from './encode.ts';
import { parameterSchemas, taskRequest, taskResponse } from './schemas.ts';
import { formatOf, withOptions } from './tasks.ts';

/** A dedicated endpoint answers at its root; the shared ones have a path per model. */
const PATHS = [
  ['/', 'Run the task of the default model'],
  ['/hf/{model}', 'Run the task of a model'],
  ['/models/{model}', 'Run the task of a model'],
] as const;

/** Some clients put the task after it. */
const TASK_PATH = '/models/{model}/pipeline/{task}';

/** Other clients that send everything to exactly the URL they are given. */
interface Neighbours {
  readonly with: (own: Dialect) => Dialect;
  readonly responseWith: (own: SchemaMaker) => SchemaMaker;
}

/**
 * Inference Endpoints of Hugging Face. The clients send everything to exactly the URL they are given.
 * Source: huggingface-inference-toolkit; huggingface_hub and `@huggingface/inference`.
 */
export function createHuggingFaceProtocol(options: ProtocolOptions, neighbours: Neighbours): Protocol {
  const invoke = neighbours.with(invokeHuggingFace);
  const read = (c: Context<AppEnvironment>) => readInvocation(c, options, { model: c.req.param('model') });
  const operation = (path: string, summary: string, response: SchemaMaker, handle: Handler): Operation => ({
    method: 'POST',
    path,
    summary,
    query: parameterSchemas,
    request: { 'application/json': taskRequest, 'image/*': null },
    response: { 'application/json': response },
    handle,
  });
  return {
    name: 'hugging-face',
    description: 'Tasks as on an Inference Endpoint of Hugging Face.',
    operations: [
      ...PATHS.map(([path, summary]) =>
        operation(path, summary, neighbours.responseWith(taskResponse), async (c) =>
          invoke(await read(c), options),
        ),
      ),
      operation(
        TASK_PATH,
        'Run the task named in the path, which must be the task of the model',
        taskResponse,
        async (c) => invokeTask(await read(c), options, c.req.param('task')),
      ),
    ],
  };
}

/**
 * A request to an Inference Endpoint of Hugging Face: `inputs` and `parameters`, a table, or an image as the body
 * itself. The task of the model decides what they mean.
 * Source: huggingface-inference-toolkit, and what the clients of Python and JavaScript send and take.
 */
export const invokeHuggingFace: Dialect = async (invocation, options) =>
  await invokeTask(invocation, options, undefined);

/**
 * The same for a path that names the task.
 *
 * @param expected the task the model must have; undefined for any
 * @throws InferenceError
 */
async function invokeTask(
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
  const output = await predict(withOptions(format.decode(inputs, contract, config.limits), parameters));
  const { form } = contract.answering(['hugging-face']);
  const steps = model.task.postprocessor?.scoreSteps ?? [];
  return format.encode({ output, inputs, parameters, steps, style: answerStyle(config), form });
}
