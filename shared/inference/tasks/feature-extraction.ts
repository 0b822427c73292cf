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
    /** A model of images; without it the model is one of texts. */
    preprocess: imageStepsSchema.optional(),
    /** Output that holds the vectors, where the graph has several that could. */
    output: z.string().optional(),
    /** How the vectors of all tokens or places become one. */
    pooling: z.enum(POOLINGS).default('none'),
    /** Folders of dense layers that the pooled vectors go through, as sentence-transformers saves them. */
    dense: z
      .array(z.string().regex(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/, 'must be a folder beside the graph'))
      .optional(),
    /** Whether each vector is divided by its length (L2). */
    normalize: z.boolean().default(false),
    /** Texts that go before the texts of requests, by the names that requests choose them by. */
    prompts: z.record(z.string(), z.string()).optional(),
    /** The prompt where a request names none. */
    defaultPrompt: z.string().optional(),
    /** Whether the tokens of a prompt are pooled with those of its text. */
    includePrompt: z.boolean().default(true),
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
