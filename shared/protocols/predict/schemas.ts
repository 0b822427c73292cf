import * as z from 'zod/mini';
import { jsonArray, jsonObject } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';
import { INPUT_KEYS } from '../input-keys.ts';

// These schemas only describe: decode.ts reads requests, because it names the field and knows the model. A test checks
// that both agree.

const cell = lazily(() => z.union([z.number(), z.string()]));

const row = lazily(() =>
  z.union([z.array(cell()), z.record(z.string(), cell())]).register(z.globalRegistry, {
    description: "Values in the model's order, or by the names of its features.",
  }),
);

const image = lazily(() =>
  z.string().check(z.minLength(1)).register(z.globalRegistry, {
    contentEncoding: 'base64',
    description: 'An encoded image in base64, or as a data URI.',
  }),
);

const imageInstance = lazily(() => z.object({ image: image() }));

const secondText = lazily(() =>
  z
    .optional(z.string())
    .register(z.globalRegistry, { description: 'A second text, for models that read two together.' }),
);

const textInstance = lazily(() =>
  z.union([z.string(), z.object({ text: z.string(), text_pair: secondText() })]),
);

/** Bytes of a file, in a form. */
export const file = lazily(() =>
  z.custom<Uint8Array>().register(z.globalRegistry, { type: 'string', format: 'binary' }),
);

export const predictRequest = lazily(() =>
  z
    .object({
      features: z.optional(row()),
      instances: z
        .optional(
          z.union([
            z.array(z.union([row(), z.object({ features: row() })])).check(z.minLength(1)),
            z.array(imageInstance()).check(z.minLength(1)),
            z.array(textInstance()).check(z.minLength(1)),
          ]),
        )
        .register(z.globalRegistry, {
          description:
            'A batch: rows, images as objects with "image", or texts, also as objects with "text".',
        }),
      image: z.optional(image()),
      text: z.optional(z.string()),
      text_pair: secondText(),
      inputs: z.optional(z.union([jsonObject, jsonArray])).register(z.globalRegistry, {
        description: 'Tensors: nested lists by the name of the input, or those of the only one.',
      }),
    })
    .check(z.refine((body) => INPUT_KEYS.filter((key) => Object.hasOwn(body, key)).length === 1))
    .register(z.globalRegistry, {
      id: 'PredictRequest',
      description: 'Exactly one of "features", "instances", "image", "text" and "inputs".',
      oneOf: INPUT_KEYS.map((key) => ({ required: [key] })),
    }),
);

export const predictForm = lazily(() =>
  z
    .object({
      file: file().clone().register(z.globalRegistry, {
        description: 'An image. A form with several files of this name is a batch.',
      }),
    })
    .register(z.globalRegistry, { id: 'PredictForm' }),
);

/** A number; null if the model gives NaN or infinity, which JSON cannot express. */
const number = lazily(() => z.nullable(z.number()));

const classification = lazily(() => ({
  prediction: z
    .union([z.string(), z.number()])
    .register(z.globalRegistry, { description: 'The label of the class.' }),
  class_id: z.int().register(z.globalRegistry, { description: 'Index of the class.' }),
  confidence: z.optional(number()).register(z.globalRegistry, { description: 'Probability of the class.' }),
  probabilities: z
    .optional(z.record(z.string(), number()))
    .register(z.globalRegistry, { description: 'Probability of every class, for rows and texts.' }),
  top_5: z
    .optional(z.record(z.string(), number()))
    .register(z.globalRegistry, { description: 'Probabilities of the best five classes, for images.' }),
  scores: z.optional(z.record(z.string(), number())).register(z.globalRegistry, {
    description:
      'Scores such as margins or logits, instead of probabilities, if neither the graph nor model.json says that they are probabilities.',
  }),
}));

const regression = lazily(() => ({
  prediction: z
    .union([number(), z.array(number())])
    .register(z.globalRegistry, { description: 'A number, or several if the model gives several.' }),
}));

const embedding = lazily(() => ({
  embedding: jsonArray.clone().register(z.globalRegistry, {
    description: 'A vector, or a list of vectors if the model does not pool them.',
  }),
  dimensions: z.int().register(z.globalRegistry, { description: 'How many numbers a vector has.' }),
}));

const tensors = lazily(() => ({
  outputs: jsonObject
    .clone()
    .register(z.globalRegistry, { description: 'Nested lists by the name of the output.' }),
}));

/** Stands in every answer. */
const common = lazily(() => ({
  model: z.string(),
  model_version: z.string(),
  inference_time_ms: z.number().register(z.globalRegistry, { description: 'Time inside the model.' }),
}));

export const predictResponse = lazily(() =>
  z
    .union([
      z.object({ ...classification(), ...common() }).register(z.globalRegistry, { title: 'A class' }),
      z.object({ ...regression(), ...common() }).register(z.globalRegistry, { title: 'A number' }),
      z.object({ ...embedding(), ...common() }).register(z.globalRegistry, { title: 'A vector' }),
      z.object({ ...tensors(), ...common() }).register(z.globalRegistry, { title: 'Tensors' }),
      z
        .object({
          predictions: z.array(
            z.union([z.object(classification()), z.object(regression()), z.object(embedding())]),
          ),
          ...common(),
        })
        .register(z.globalRegistry, { title: 'A batch' }),
    ])
    .register(z.globalRegistry, { id: 'PredictResponse' }),
);
