import * as z from 'zod/mini';
import { imageStepsSchema } from '../../processing/image/steps/schema.ts';
import { createClassificationPostprocessor } from '../postprocess-classification.ts';
import { processBatch } from '../process-batch.ts';
import { defineTask } from '../task.ts';
import { classification } from './members.ts';

export const imageClassification = defineTask({
  name: 'image-classification',
  members: {
    ...classification,
    preprocess: imageStepsSchema.clone().register(z.globalRegistry, {
      description: 'Steps from an image file to the input of the graph, in order: the same as in training.',
    }),
  },
  kind: 'image',
  gives: 'classification',
  bind: async (config, { session, graph, folder }) => {
    // Requests that name no model look at the configs of all models, which must not load what runs them.
    const { createImagePreprocessor } = await import('../preprocess-images.ts');
    return processBatch(
      await createImagePreprocessor(session, config.preprocess, folder.isTried),
      createClassificationPostprocessor(session, graph, config),
    );
  },
});
