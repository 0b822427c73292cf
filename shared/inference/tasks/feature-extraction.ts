import * as z from 'zod';
import { imageStepsSchema } from '../../processing/image/steps/steps.ts';
import { POOLINGS } from '../../processing/text/embedding/pooling.ts';
import { createEmbeddingPostprocessor } from '../postprocess-embedding.ts';
import { createImagePreprocessor } from '../preprocess-images.ts';
import { createTextPreprocessor } from '../preprocess-texts.ts';
import { processBatch } from '../process-batch.ts';
import { readDenseLayers } from '../read-dense.ts';
import { defineTask } from '../task.ts';
import { text } from './members.ts';

export const featureExtraction = defineTask({
  name: 'feature-extraction',
  members: {
    ...text,
    preprocess: imageStepsSchema
      .optional()
      .describe('Steps from an image to the input, in order. Without them the model takes texts.'),
    output: z
      .string()
      .optional()
      .describe(
        'Name of the output with the vectors, if the graph has several outputs that could have them.',
      ),
    pooling: z
      .enum(POOLINGS)
      .default('none')
      .describe('How the vectors of all tokens, or of all positions in an image, become one vector.'),
    dense: z
      .array(z.string().regex(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/, 'must be a folder next to the graph'))
      .optional()
      .describe('Folders of dense layers for the pooled vectors, as sentence-transformers saves them.'),
    normalize: z.boolean().default(false).describe('Whether each vector is divided by its length (L2).'),
    prompts: z
      .record(z.string(), z.string())
      .optional()
      .describe('Texts to put before the texts of requests, by the names that requests use.'),
    defaultPrompt: z.string().optional().describe('Name of the prompt for requests that name none.'),
    includePrompt: z
      .boolean()
      .default(true)
      .describe('Whether the tokens of a prompt are pooled with those of its text.'),
  },
  kind: ({ preprocess }) => (preprocess ? 'image' : 'text'),
  gives: 'embedding',
  bind: async (config, { session, folder }) => {
    const layers = await readDenseLayers(folder, config.dense);
    return processBatch(
      config.preprocess
        ? await createImagePreprocessor(session, config.preprocess)
        : await createTextPreprocessor(session, folder, config),
      createEmbeddingPostprocessor(session, config, layers),
    );
  },
});
