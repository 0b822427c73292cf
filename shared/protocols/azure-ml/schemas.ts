import * as z from 'zod';
import { jsonArray, jsonObject, jsonValue } from '../body/envelope.ts';
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
      params: jsonObject.optional().describe('Accepted and ignored.'),
      method: z
        .string()
        .nullish()
        .describe('`predict` or `predict_proba`, together with the `data` of an AutoML service.'),
      Inputs: jsonObject
        .optional()
        .describe(
          'The rows for an AutoML service as `data`, or for a designer service as `WebServiceInput0`.',
        ),
      GlobalParameters: jsonValue
        .optional()
        .describe(
          'Together with `Inputs`: an object, which for AutoML has the `method`; or a number, which is ignored.',
        ),
    })
    .describe('One of "input_data", "data", "inputs" and "Inputs".'),
);

export const scoreResponse = lazily(() =>
  z
    .union([jsonArray, jsonObject, z.string()])
    .describe(
      'A bare list, or an object for inputs by name; `{"Results": …}` for `Inputs`; with `method` a text that holds `{"result": […]}` in JSON.',
    ),
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
