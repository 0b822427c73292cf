import * as z from 'zod/mini';
import { createRegressionPostprocessor } from '../postprocess-regression.ts';
import { createFeaturePreprocessor } from '../preprocess-features.ts';
import { processBatch } from '../process-batch.ts';
import { defineTask } from '../task.ts';
import { tabular } from './members.ts';

export const tabularRegression = defineTask({
  name: 'tabular-regression',
  members: {
    ...tabular,
    output: z.optional(z.string()).register(z.globalRegistry, {
      description:
        'Name of the output with the predictions, if the graph has several outputs that could have them.',
    }),
  },
  kind: 'features',
  gives: 'regression',
  bind: (config, { session, graph }) =>
    processBatch(
      createFeaturePreprocessor(session, config.features, graph),
      createRegressionPostprocessor(session, config.output),
    ),
});
