import * as z from 'zod';
import { jsonObject, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

export const scoreRequest = lazily(() =>
  z
    .looseObject({
      input_data: jsonValue
        .optional()
        .describe(
          'A table as {"columns": […], "index": […], "data": [[…], …]}, a list of instances, or an object with a list per input.',
        ),
      data: jsonValue.optional().describe('A list of instances, as scoring scripts take it.'),
      inputs: jsonValue.optional().describe('Texts, as models of Hugging Face take them, or whole inputs.'),
      params: jsonObject.optional().describe('Without a meaning here.'),
    })
    .describe('One of "input_data", "data" and "inputs".'),
);

const requestId = lazily(() => z.string().max(100).optional());

export const scoreQuery = {
  model_name: lazily(() => z.string().optional().describe('The model, if it is not the default one.')),
};

export const scoreHeaders = {
  'azureml-model-deployment': lazily(() =>
    z.string().optional().describe('Version of the model, an alias for one, or a name in ENDPOINT_MODELS.'),
  ),
  'x-request-id': requestId,
  'x-ms-request-id': requestId,
  'x-ms-client-request-id': requestId,
};
