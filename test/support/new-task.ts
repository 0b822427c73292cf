import * as z from 'zod/mini';
import { createImagePreprocessor } from '../../shared/inference/preprocess-images.ts';
import { processBatch } from '../../shared/inference/process-batch.ts';
import { defineTask } from '../../shared/inference/task.ts';
import { ModelError } from '../../shared/models/model-config.ts';
import { imageStepsSchema } from '../../shared/processing/image/steps/schema.ts';
import { toNumbers } from '../../shared/tensor/tensor.ts';

/** A new task, as a contributor would add it: it finds the brightest place of an image. This file is all of it. */
export const lightSpot = defineTask({
  name: 'light-spot',
  members: { preprocess: imageStepsSchema, minimum: z._default(z.number(), 0) },
  kind: 'image',
  gives: 'values',
  answer: z.object({
    found: z.boolean().register(z.globalRegistry, { description: 'Whether there is any light.' }),
    place: z.optional(z.int()).register(z.globalRegistry, { description: 'Index of the brightest pixel.' }),
    light: z.optional(z.number()),
  }),
  bind: async (config, { session }) => {
    const [output] = session.outputs;
    if (!output) throw new ModelError('its graph has no output for a light spot');
    return processBatch(await createImagePreprocessor(session, config.preprocess), {
      fetches: [output.name],
      postprocess: (outputs) => {
        const tensor = outputs.get(output.name);
        const pixels = tensor ? [...toNumbers(tensor)] : [];
        const rows = tensor?.shape[0] ?? 0;
        const size = pixels.length / rows;
        const predictions = Array.from({ length: rows }, (_, row) => {
          const own = pixels.slice(row * size, (row + 1) * size);
          const light = Math.max(...own);
          return light > config.minimum
            ? { found: true, place: own.indexOf(light), light }
            : { found: false };
        });
        return { kind: 'values', predictions };
      },
    });
  },
});
