import type { Context } from 'hono';
import * as z from 'zod';
import type { Answer, AppEnvironment } from '../../http/context.ts';
import type { NamedChoice } from '../../inference/inference.ts';
import { readDeployment } from '../azure-ml/invoke-azure-ml.ts';
import { jsonArray, jsonObject, jsonValue } from '../codecs/envelope.ts';
import { readInvocation } from '../invocation.ts';
import type { Content, Operation, ProtocolOptions } from '../protocol.ts';
import { chooseTarget } from '../sagemaker/read-headers.ts';
import { invoke } from './invoke.ts';

const jsonRequest = z
  .looseObject({
    instances: jsonArray.optional().describe('Instances one after the other.'),
    inputs: jsonValue.optional().describe('Whole inputs; tensors of the Open Inference Protocol; or a text.'),
    dataframe_split: jsonObject.optional().describe('A table of pandas in the orientation "split".'),
    dataframe_records: jsonArray.optional().describe('A table of pandas in the orientation "records".'),
    input_data: jsonValue.optional().describe('A table or tensors for an endpoint of Azure ML.'),
    examples: jsonArray.optional().describe('Examples to classify or to regress.'),
    table: jsonObject.optional().describe('A table for a pipeline of Hugging Face.'),
    data: jsonValue.optional().describe('Rows, or an image in base64.'),
  })
  .describe('Exactly one of these members; a bare list of numbers does as well.');

/** What the shared routes take. The body and its type tell the format. */
export const INVOCATION_REQUEST: Content = {
  'application/json': jsonRequest,
  'application/jsonlines': null,
  'text/csv': null,
  'application/x-npy': null,
  'application/x-npz': null,
  'image/*': null,
  'multipart/form-data': null,
};

/** What the shared routes answer. The format of the request and its Accept header decide. */
export const INVOCATION_RESPONSE: Content = {
  'application/json': z
    .unknown()
    .describe('`{"predictions": [...]}` for rows and tables, a bare list otherwise.'),
  'application/jsonlines': null,
  'text/csv': null,
  'application/x-npy': null,
  'application/x-npz': null,
};

/** `/invocations`, which containers of SageMaker, MLflow and TorchServe all have. */
export function createInvocations(options: ProtocolOptions): Operation {
  return {
    method: 'POST',
    path: '/invocations',
    summary: 'Run the default model on whatever format the body is in',
    query: { model_name: z.string().optional().describe('The model, where there are several.') },
    request: INVOCATION_REQUEST,
    response: INVOCATION_RESPONSE,
    handle: async (c) => await answerInvocation(c, options, { model: c.req.query('model_name') }),
  };
}

/** Answers a request on a shared route, with the model its path or its headers name. */
export async function answerInvocation(
  c: Context<AppEnvironment>,
  options: ProtocolOptions,
  choice: NamedChoice,
): Promise<Answer> {
  const { headers } = c.req.raw;
  const target = chooseTarget(headers, { version: readDeployment(headers), ...choice });
  return await invoke(await readInvocation(c, options, target), options);
}
