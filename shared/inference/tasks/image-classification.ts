import * as z from 'zod/mini';
import { imageStepsSchema } from '../../processing/image/steps/steps.ts';
import { createClassificationPostprocessor } from '../postprocess-classification.ts';
import { createImagePreprocessor } from '../preprocess-images.ts';
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
  bind: async (config, { session, graph }) =>
    processBatch(
      await createImagePreprocessor(session, config.preprocess),
      createClassificationPostprocessor(session, graph, config),
    ),
});
