import * as z from 'zod/mini';
import type { FieldValue } from '../../values/input.ts';
import { jsonObject, jsonValue } from '../body/envelope.ts';
import type { TASK_OPTIONS } from '../body/json-body.ts';
import { lazily } from '../body/lazily.ts';

const COUNT = 'expected a whole number of at least 1';

/** Every parameter of every task; `null` counts as missing. */
export const parameterSchemas = {
  top_k: lazily(() =>
    z.nullish(z.number().check(z.int(COUNT), z.minimum(1, COUNT))).register(z.globalRegistry, {
      description: 'How many labels to return, best first; 5 if it is missing.',
    }),
  ),
  function_to_apply: lazily(() =>
    z
      .nullish(z.enum(['softmax', 'sigmoid', 'none'], 'expected "softmax", "sigmoid" or "none"'))
      .register(z.globalRegistry, {
        description:
          'What makes scores of the values of the graph; by default what the config of the model says.',
      }),
  ),
  prompt_name: lazily(() =>
    z.nullish(z.string()).register(z.globalRegistry, {
      description: 'Which prompt of the model goes before each text; by default its default prompt.',
    }),
  ),
  normalize: lazily(() =>
    z.nullish(z.boolean()).register(z.globalRegistry, {
      description: 'Whether each vector is divided by its length; by default as the model does.',
    }),
  ),
  truncate: lazily(() =>
    z.nullish(z.boolean()).register(z.globalRegistry, {
      description: 'Whether texts that are too long are cut, as by default, or refused.',
    }),
  ),
  truncation_direction: lazily(() =>
    z
      .nullish(
        z
          // Text Embeddings Inference writes these in capitals.
          .enum(['left', 'right', 'Left', 'Right'], 'expected "left" or "right"'),
      )
      .register(z.globalRegistry, {
        description: 'Which end of a text is cut; by default as its tokenizer does.',
      }),
  ),
  dimensions: lazily(() =>
    z.nullish(z.number().check(z.int(COUNT), z.minimum(1, COUNT))).register(z.globalRegistry, {
      description: 'How many of the first numbers of each vector are wanted; all by default.',
    }),
  ),
  encoding_format: lazily(() => z.nullish(z.literal('float', 'expected "float"'))),
} satisfies Record<ParameterName, () => z.ZodMiniType>;

export const taskRequest = lazily(() =>
  z
    .looseObject({
      inputs: z.optional(jsonValue).register(z.globalRegistry, {
        description:
          'An image in base64 or as a data URI, a text, a pair as {"text": "…", "text_pair": "…"}, a table as {"data": {…}}, or a list of instances.',
      }),
      table: z.optional(jsonObject).register(z.globalRegistry, {
        description: 'A table as an object of columns; its numbers can be texts.',
      }),
      parameters: z
        .nullish(jsonObject)
        .register(z.globalRegistry, { description: 'Parameters of the task of the model.' }),
    })
    .register(z.globalRegistry, { description: 'One of "inputs" and "table".' }),
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
      .register(z.globalRegistry, {
        description: 'Labels with scores, lists of them, predictions, vectors, or an output.',
      }),
    jsonObject.clone().register(z.globalRegistry, { description: 'Outputs by name.' }),
    z.number().register(z.globalRegistry, { description: 'A number.' }),
    z.string().register(z.globalRegistry, { description: 'A text.' }),
    z.null().register(z.globalRegistry, { description: 'NaN.' }),
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
