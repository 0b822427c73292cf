import { createRowsPostprocessor } from '../postprocess-rows.ts';
import { createFeaturePreprocessor } from '../preprocess-features.ts';
import { processBatch } from '../process-batch.ts';
import { defineTask } from '../task.ts';
import { tabular as members } from './members.ts';
import { createTensorRunner } from './tensor.ts';

/** Any other tabular model: outliers, clusters, several targets at once, columns computed from columns. */
export const tabular = defineTask({
  name: 'tabular',
  members,
  kind: 'features',
  gives: 'rows',
  bind: (config, { session, graph }) => {
    const rows = processBatch(
      createFeaturePreprocessor(session, config.features, graph),
      createRowsPostprocessor(session, graph),
    );
    const tensors = createTensorRunner(session, undefined);
    // Whole tensors by the names in the graph are accepted too: this form covers everything that has no task.
    return {
      ...rows,
      infer: (input, run, budget) => (input.kind === 'tensors' ? tensors : rows).infer(input, run, budget),
    };
  },
});
