import type { Context } from 'hono';
import type { Answer, AppEnvironment } from '../../http/context.ts';
import { readInvocation } from '../invocation.ts';
import type { Operation, Protocol, ProtocolOptions } from '../operation.ts';
import { invokeTask } from './invoke-hugging-face.ts';
import { parameterSchemas, taskRequest, taskResponse } from './schemas.ts';

/** An endpoint of its own answers at its root; the shared ones have a path per model, some with the task behind it. */
const PATHS = [
  ['/', 'Run the task of the default model'],
  ['/hf/{model}', 'Run the task of a model'],
  ['/models/{model}', 'Run the task of a model'],
  ['/models/{model}/pipeline/{task}', 'Run the task of a model that must be the one named'],
] as const;

/**
 * Inference Endpoints of Hugging Face. The clients send everything to exactly the URL they are given.
 * Source: huggingface-inference-toolkit; huggingface_hub and `@huggingface/inference`.
 */
export function createHuggingFaceProtocol(options: ProtocolOptions): Protocol {
  const handle = async (c: Context<AppEnvironment>): Promise<Answer> => {
    const model = c.req.param('model');
    const invocation = await readInvocation(c, options, { model });
    return await invokeTask(invocation, options, c.req.param('task'));
  };
  const operation = ([path, summary]: (typeof PATHS)[number]): Operation => ({
    method: 'POST',
    path,
    summary,
    query: parameterSchemas,
    request: { 'application/json': taskRequest, 'image/*': null },
    response: { 'application/json': taskResponse },
    handle,
  });
  return {
    name: 'hugging-face',
    description: 'Tasks as on an Inference Endpoint of Hugging Face.',
    operations: PATHS.map(operation),
  };
}
