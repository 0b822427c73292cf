import * as z from 'zod';
import { jsonObject, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

const COUNT = 'expected a whole number of at least 1';

/** Every parameter of every task; `null` is as good as none. */
export const parameterSchemas = {
  top_k: lazily(() =>
    z
      .number()
      .int(COUNT)
      .min(1, COUNT)
      .nullish()
      .describe('How many labels to answer, best first; 5 where it is not given.'),
  ),
  function_to_apply: lazily(() =>
    z
      .enum(['softmax', 'sigmoid', 'none'], 'expected "softmax", "sigmoid" or "none"')
      .nullish()
      .describe(
        'What makes scores of the values of the graph; by default what the config of the model says.',
      ),
  ),
};

export const taskRequest = lazily(() =>
  z
    .looseObject({
      inputs: jsonValue
        .optional()
        .describe('An image in base64 or as a data URI, a table as {"data": {…}}, or a list of instances.'),
      table: jsonObject.optional().describe('A table as an object of columns; its numbers can be texts.'),
      parameters: jsonObject.nullish().describe('Parameters of the task of the model.'),
    })
    .describe('One of "inputs" and "table".'),
);

/** Labels with scores for an image, a list of these for several, and one prediction for each row of a table. */
export const taskResponse = lazily(() =>
  z.array(
    z.union([
      z.object({ label: z.string(), score: z.number() }),
      z.array(z.unknown()),
      z.number(),
      z.string(),
    ]),
  ),
);

/** Parameters as they are read: by the part of the request that errors name. */
export const parametersRequest = lazily(() =>
  z.object({
    parameters: z.object({
      top_k: parameterSchemas.top_k(),
      function_to_apply: parameterSchemas.function_to_apply(),
    }),
  }),
);

export type TaskParameters = z.infer<ReturnType<typeof parametersRequest>>['parameters'];

export type ParameterName = keyof typeof parameterSchemas;
