import * as z from 'zod';
import type { FieldValue } from '../../values/input.ts';
import { jsonObject, jsonValue } from '../body/envelope.ts';
import type { TASK_OPTIONS } from '../body/json-body.ts';
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
  prompt_name: lazily(() =>
    z
      .string()
      .nullish()
      .describe(
        'Which prompt of the model goes before each text; its default prompt, if it has one, where it is not given.',
      ),
  ),
  normalize: lazily(() =>
    z
      .boolean()
      .nullish()
      .describe(
        'Whether each vector is divided by its length; by default what the config of the model says.',
      ),
  ),
  truncate: lazily(() =>
    z
      .boolean()
      .nullish()
      .describe('Whether texts that are too long are cut, which is the default, or refused with 413.'),
  ),
  truncation_direction: lazily(() =>
    z
      // Text Embeddings Inference has capitals there.
      .enum(['left', 'right', 'Left', 'Right'], 'expected "left" or "right"')
      .nullish()
      .describe('Which end of a text is cut; by default what its tokenizer says.'),
  ),
  dimensions: lazily(() =>
    z
      .number()
      .int(COUNT)
      .min(1, COUNT)
      .nullish()
      .describe('How many numbers of each vector are wanted, the first ones; all where it is not given.'),
  ),
  encoding_format: lazily(() =>
    z.literal('float', 'expected "float"').nullish().describe('How numbers are written.'),
  ),
} satisfies Record<ParameterName, () => z.ZodType>;

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

/** What models answer there, each by its task. */
export const taskResponse = lazily(() =>
  z.union([
    z
      .array(
        z.union([
          z.object({ label: z.string(), score: z.number() }),
          z.array(z.unknown()),
          z.number(),
          z.string(),
          z.null(),
          jsonObject,
        ]),
      )
      .describe(
        'Labels with scores for an image, a list of these for several and for texts, a prediction for each row of a table, a vector for each text, or an output.',
      ),
    jsonObject.describe('The outputs of a model that has several, by their names.'),
    z.number().describe('An output that is a single number.'),
    z.string().describe('An output that is a single text.'),
    z.null().describe('An output that is a single NaN.'),
  ]),
);

export type ParameterName = (typeof TASK_OPTIONS)[number];

/** Parameters as they are read: by the part of the request that errors name. */
export const parametersRequest = lazily(() => {
  const all = {
    top_k: parameterSchemas.top_k(),
    function_to_apply: parameterSchemas.function_to_apply(),
    prompt_name: parameterSchemas.prompt_name(),
    normalize: parameterSchemas.normalize(),
    truncate: parameterSchemas.truncate(),
    truncation_direction: parameterSchemas.truncation_direction(),
    dimensions: parameterSchemas.dimensions(),
    encoding_format: parameterSchemas.encoding_format(),
  } satisfies Record<ParameterName, z.ZodType>;
  return z.object({ ...all, parameters: z.object(all) });
});

type ParameterValues = z.infer<ReturnType<typeof parametersRequest>>['parameters'];

/** The parameters of a request, each with its place there. */
export type TaskParameters = {
  readonly [Name in ParameterName]?: FieldValue<NonNullable<ParameterValues[Name]>> | undefined;
};
