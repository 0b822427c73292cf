import * as z from 'zod';
import type { FieldValue } from '../../values/input.ts';
import { jsonObject, jsonValue } from '../body/envelope.ts';
import type { TASK_OPTIONS } from '../body/json-body.ts';
import { lazily } from '../body/lazily.ts';

const COUNT = 'expected a whole number of at least 1';

/** Every parameter of every task; `null` counts as missing. */
export const parameterSchemas = {
  top_k: lazily(() =>
    z
      .number()
      .int(COUNT)
      .min(1, COUNT)
      .nullish()
      .describe('How many labels to return, best first; 5 if it is missing.'),
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
      .describe('Which prompt of the model goes before each text; by default its default prompt.'),
  ),
  normalize: lazily(() =>
    z
      .boolean()
      .nullish()
      .describe('Whether each vector is divided by its length; by default as the model does.'),
  ),
  truncate: lazily(() =>
    z.boolean().nullish().describe('Whether texts that are too long are cut, as by default, or refused.'),
  ),
  truncation_direction: lazily(() =>
    z
      // Text Embeddings Inference writes these in capitals.
      .enum(['left', 'right', 'Left', 'Right'], 'expected "left" or "right"')
      .nullish()
      .describe('Which end of a text is cut; by default as its tokenizer does.'),
  ),
  dimensions: lazily(() =>
    z
      .number()
      .int(COUNT)
      .min(1, COUNT)
      .nullish()
      .describe('How many of the first numbers of each vector are wanted; all by default.'),
  ),
  encoding_format: lazily(() => z.literal('float', 'expected "float"').nullish()),
} satisfies Record<ParameterName, () => z.ZodType>;

export const taskRequest = lazily(() =>
  z
    .looseObject({
      inputs: jsonValue
        .optional()
        .describe(
          'An image in base64 or as a data URI, a text, a pair as {"text": "…", "text_pair": "…"}, a table as {"data": {…}}, or a list of instances.',
        ),
      table: jsonObject.optional().describe('A table as an object of columns; its numbers can be texts.'),
      parameters: jsonObject.nullish().describe('Parameters of the task of the model.'),
    })
    .describe('One of "inputs" and "table".'),
);

/** The answers of models, by task. */
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
      .describe('Labels with scores, lists of them, predictions, vectors, or an output.'),
    jsonObject.describe('Outputs by name.'),
    z.number().describe('A number.'),
    z.string().describe('A text.'),
    z.null().describe('NaN.'),
  ]),
);

export type ParameterName = (typeof TASK_OPTIONS)[number];

/** Parameters as they are read. */
export const taskParameters = lazily(() =>
  z.object(Object.fromEntries(Object.entries(parameterSchemas).map(([name, make]) => [name, make()]))),
);

type ParameterValues = { [Name in ParameterName]: z.infer<ReturnType<(typeof parameterSchemas)[Name]>> };

/** The parameters of a request, each with its place in it. */
export type TaskParameters = {
  readonly [Name in ParameterName]?: FieldValue<NonNullable<ParameterValues[Name]>> | undefined;
};
