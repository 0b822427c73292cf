import { createClassificationPostprocessor } from '../postprocess-classification.ts';
import { createFeaturePreprocessor } from '../preprocess-features.ts';
import { processBatch } from '../process-batch.ts';
import { defineTask } from '../task.ts';
import { classification, tabular } from './members.ts';

export const tabularClassification = defineTask({
  name: 'tabular-classification',
  members: { ...tabular, ...classification },
  kind: 'features',
  gives: 'classification',
  bind: (config, { session, graph }) =>
    processBatch(
      createFeaturePreprocessor(session, config.features, graph),
      createClassificationPostprocessor(session, graph, config),
    ),
});
