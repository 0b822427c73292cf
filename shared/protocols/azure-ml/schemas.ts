import * as z from 'zod/mini';
import { jsonArray, jsonObject, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

export const scoreRequest = lazily(() =>
  z
    .looseObject({
      input_data: z.optional(jsonValue).register(z.globalRegistry, {
        description:
          'A table as {"columns": […], "index": […], "data": [[…], …]}, a list of instances, or an object with a list per input.',
      }),
      data: z
        .optional(jsonValue)
        .register(z.globalRegistry, { description: 'A list of instances, as scoring scripts take it.' }),
      inputs: z.optional(jsonValue).register(z.globalRegistry, {
        description: 'Texts, as models of Hugging Face take them, or whole inputs.',
      }),
      params: z.optional(jsonObject).register(z.globalRegistry, { description: 'Accepted and ignored.' }),
      method: z.nullish(z.string()).register(z.globalRegistry, {
        description: '`predict` or `predict_proba`, together with the `data` of an AutoML service.',
      }),
      Inputs: z.optional(jsonObject).register(z.globalRegistry, {
        description:
          'The rows for an AutoML service as `data`, or for a designer service as `WebServiceInput0`.',
      }),
      GlobalParameters: z.optional(jsonValue).register(z.globalRegistry, {
        description:
          'Together with `Inputs`: an object, which for AutoML has the `method`; or a number, which is ignored.',
      }),
    })
    .register(z.globalRegistry, { description: 'One of "input_data", "data", "inputs" and "Inputs".' }),
);

export const scoreResponse = lazily(() =>
  z.union([jsonArray, jsonObject, z.string()]).register(z.globalRegistry, {
    description:
      'A bare list, or an object for inputs by name; `{"Results": …}` for `Inputs`; with `method` a text that holds `{"result": […]}` in JSON.',
  }),
);

const requestId = lazily(() => z.optional(z.string().check(z.maxLength(100))));

export const scoreQuery = {
  model_name: lazily(() =>
    z
      .optional(z.string())
      .register(z.globalRegistry, { description: 'The model, if it is not the default one.' }),
  ),
};

export const scoreHeaders = {
  'azureml-model-deployment': lazily(() =>
    z.optional(z.string()).register(z.globalRegistry, {
      description: 'Version of the model, an alias for one, or a name in ENDPOINT_MODELS.',
    }),
  ),
  'x-request-id': requestId,
  'x-ms-request-id': requestId,
  'x-ms-client-request-id': requestId,
};
