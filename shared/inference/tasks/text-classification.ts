import { createClassificationPostprocessor } from '../postprocess-classification.ts';
import { processBatch } from '../process-batch.ts';
import { defineTask } from '../task.ts';
import { classification, text } from './members.ts';

export const textClassification = defineTask({
  name: 'text-classification',
  members: { ...classification, ...text },
  kind: 'text',
  gives: 'classification',
  bind: async (config, { session, graph, folder }) => {
    const { createTextPreprocessor } = await import('../preprocess-texts.ts');
    return processBatch(
      await createTextPreprocessor(session, folder, { ...config, takesPairs: true }),
      createClassificationPostprocessor(session, graph, config),
    );
  },
});
