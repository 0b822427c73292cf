import * as z from 'zod/mini';
import { imageStepsSchema } from '../../processing/image/steps/schema.ts';
import { POOLINGS } from '../../processing/text/embedding/pooling.ts';
import { processBatch } from '../process-batch.ts';
import { defineTask } from '../task.ts';
import { text } from './members.ts';

export const featureExtraction = defineTask({
  name: 'feature-extraction',
  members: {
    ...text,
    preprocess: z.optional(imageStepsSchema).register(z.globalRegistry, {
      description: 'Steps from an image to the input, in order. Without them the model takes texts.',
    }),
    output: z.optional(z.string()).register(z.globalRegistry, {
      description:
        'Name of the output with the vectors, if the graph has several outputs that could have them.',
    }),
    pooling: z._default(z.enum(POOLINGS), 'none').register(z.globalRegistry, {
      description: 'How the vectors of all tokens, or of all positions in an image, become one vector.',
    }),
    dense: z
      .optional(
        z.array(
          z.string().check(z.regex(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/, 'must be a folder next to the graph')),
        ),
      )
      .register(z.globalRegistry, {
        description: 'Folders of dense layers for the pooled vectors, as sentence-transformers saves them.',
      }),
    normalize: z
      ._default(z.boolean(), false)
      .register(z.globalRegistry, { description: 'Whether each vector is divided by its length (L2).' }),
    prompts: z.optional(z.record(z.string(), z.string())).register(z.globalRegistry, {
      description: 'Texts to put before the texts of requests, by the names that requests use.',
    }),
    defaultPrompt: z
      .optional(z.string())
      .register(z.globalRegistry, { description: 'Name of the prompt for requests that name none.' }),
    includePrompt: z._default(z.boolean(), true).register(z.globalRegistry, {
      description: 'Whether the tokens of a prompt are pooled with those of its text.',
    }),
  },
  kind: ({ preprocess }) => (preprocess ? 'image' : 'text'),
  gives: 'embedding',
  bind: async (config, { session, folder }) => {
    // As in image-classification.ts.
    const [{ readDenseLayers }, { createEmbeddingPostprocessor }] = await Promise.all([
      import('../read-dense.ts'),
      import('../postprocess-embedding.ts'),
    ]);
    const layers = await readDenseLayers(folder, config.dense);
    return processBatch(
      config.preprocess
        ? await (await import('../preprocess-images.ts')).createImagePreprocessor(
            session,
            config.preprocess,
            folder.isTried,
          )
        : await (await import('../preprocess-texts.ts')).createTextPreprocessor(session, folder, config),
      createEmbeddingPostprocessor(session, config, layers),
    );
  },
});
