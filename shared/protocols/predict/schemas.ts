import * as z from 'zod';
import { jsonArray, jsonObject } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';
import { INPUT_KEYS } from '../input-keys.ts';

// These schemas only describe: decode.ts reads requests, because it names the field and knows the model. A test checks
// that both agree.

const cell = lazily(() => z.union([z.number(), z.string()]));

const row = lazily(() =>
  z
    .union([z.array(cell()), z.record(z.string(), cell())])
    .describe("Values in the model's order, or by the names of its features."),
);

const image = lazily(() =>
  z
    .string()
    .min(1)
    .meta({ contentEncoding: 'base64', description: 'An encoded image in base64, or as a data URI.' }),
);

const imageInstance = lazily(() => z.object({ image: image() }));

const secondText = lazily(() =>
  z.string().optional().describe('A second text, for models that read two together.'),
);

const textInstance = lazily(() =>
  z.union([z.string(), z.object({ text: z.string(), text_pair: secondText() })]),
);

/** Bytes of a file, in a form. */
export const file = lazily(() => z.custom<Uint8Array>().meta({ type: 'string', format: 'binary' }));

export const predictRequest = lazily(() =>
  z
    .object({
      features: row().optional(),
      instances: z
        .union([
          z.array(z.union([row(), z.object({ features: row() })])).min(1),
          z.array(imageInstance()).min(1),
          z.array(textInstance()).min(1),
        ])
        .optional()
        .describe('A batch: rows, images as objects with "image", or texts, also as objects with "text".'),
      image: image().optional(),
      text: z.string().optional(),
      text_pair: secondText(),
      inputs: z
        .union([jsonObject, jsonArray])
        .optional()
        .describe('Tensors: nested lists by the name of the input, or those of the only one.'),
    })
    .refine((body) => INPUT_KEYS.filter((key) => Object.hasOwn(body, key)).length === 1)
    .meta({
      id: 'PredictRequest',
      description: 'Exactly one of "features", "instances", "image", "text" and "inputs".',
      oneOf: INPUT_KEYS.map((key) => ({ required: [key] })),
    }),
);

export const predictForm = lazily(() =>
  z
    .object({
      file: file().describe('An image. A form with several files of this name is a batch.'),
    })
    .meta({ id: 'PredictForm' }),
);

/** A number; null if the model gives NaN or infinity, which JSON cannot express. */
const number = lazily(() => z.number().nullable());

const classification = lazily(() => ({
  prediction: z.union([z.string(), z.number()]).describe('The label of the class.'),
  class_id: z.int().describe('Index of the class.'),
  confidence: number().optional().describe('Probability of the class.'),
  probabilities: z
    .record(z.string(), number())
    .optional()
    .describe('Probability of every class, for rows and texts.'),
  top_5: z
    .record(z.string(), number())
    .optional()
    .describe('Probabilities of the best five classes, for images.'),
  scores: z
    .record(z.string(), number())
    .optional()
    .describe(
      'Scores such as margins or logits, instead of probabilities, if neither the graph nor model.json says that they are probabilities.',
    ),
}));

const regression = lazily(() => ({
  prediction: z
    .union([number(), z.array(number())])
    .describe('A number, or several if the model gives several.'),
}));

const embedding = lazily(() => ({
  embedding: jsonArray.describe('A vector, or a list of vectors if the model does not pool them.'),
  dimensions: z.int().describe('How many numbers a vector has.'),
}));

const tensors = lazily(() => ({ outputs: jsonObject.describe('Nested lists by the name of the output.') }));

/** Stands in every answer. */
const common = lazily(() => ({
  model: z.string(),
  model_version: z.string(),
  inference_time_ms: z.number().describe('Time inside the model.'),
}));

export const predictResponse = lazily(() =>
  z
    .union([
      z.object({ ...classification(), ...common() }).meta({ title: 'A class' }),
      z.object({ ...regression(), ...common() }).meta({ title: 'A number' }),
      z.object({ ...embedding(), ...common() }).meta({ title: 'A vector' }),
      z.object({ ...tensors(), ...common() }).meta({ title: 'Tensors' }),
      z
        .object({
          predictions: z.array(
            z.union([z.object(classification()), z.object(regression()), z.object(embedding())]),
          ),
          ...common(),
        })
        .meta({ title: 'A batch' }),
    ])
    .meta({ id: 'PredictResponse' }),
);
