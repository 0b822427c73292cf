import { createClassificationPostprocessor } from '../postprocess-classification.ts';
import { createTextPreprocessor } from '../preprocess-texts.ts';
import { processBatch } from '../process-batch.ts';
import { defineTask } from '../task.ts';
import { classification, text } from './members.ts';

export const textClassification = defineTask({
  name: 'text-classification',
  members: { ...classification, ...text },
  kind: 'text',
  gives: 'classification',
  bind: async (config, { session, graph, folder }) =>
    processBatch(
      await createTextPreprocessor(session, folder, { ...config, takesPairs: true }),
      createClassificationPostprocessor(session, graph, config),
    ),
});
