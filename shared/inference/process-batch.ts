import { unexpectedOutput } from '../errors.ts';
import { ModelError } from '../models/model-config.ts';
import type { NamedTensors } from '../runtime/session.ts';
import { concatRows, type Tensor } from '../tensor/tensor.ts';
import { batchSizeOf, runBatch } from './run-batch.ts';
import {
  type Batch,
  LARGEST_EXAMPLE_BATCH,
  type Postprocessor,
  type Preprocessor,
  type TaskRunner,
} from './task.ts';

/** A task that prepares all instances of a request, runs the graph on them, and makes a prediction for each. */
export function processBatch(preprocessor: Preprocessor, postprocessor: Postprocessor): TaskRunner {
  const { fetches } = postprocessor;
  return {
    preprocessor,
    postprocessor,
    labels: postprocessor.labels,
    infer: async (input, run, budget) => {
      const batch = await preprocessor.preprocess(input, budget);
      const outputs = await run(batch.feeds, { fetches, layout: 'instances' });
      const output = postprocessor.postprocess(outputs, batch);
      if ('predictions' in output && output.predictions.length !== batch.rows) {
        throw unexpectedOutput(
          `The model gives ${output.predictions.length} predictions for ${batch.rows} instances; its output has no batch axis.`,
        );
      }
      return output;
    },
    warmUp: async (session) => {
      const batchSize = batchSizeOf(session);
      if (batchSize > LARGEST_EXAMPLE_BATCH) return undefined;
      const feeds = repeat(await preprocessor.example(), batchSize);
      const outputs = await runBatch(session, feeds, { fetches, layout: 'instances' });
      const misfit = preprocessor.isOpen
        ? undefined
        : postprocessor.misfit?.(outputs, Math.max(1, batchSize));
      if (misfit !== undefined) throw new ModelError(`its ${misfit}`);
      return preprocessor.exampleRequest;
    },
  };
}

/** The example, repeated for a graph with a fixed batch size. */
function repeat({ feeds }: Batch, batchSize: number): NamedTensors {
  const copies = Math.max(1, batchSize) - 1;
  return new Map(
    [...feeds].map(([name, tensor]) => [
      name,
      concatRows([tensor, ...new Array<Tensor>(copies).fill(tensor)]),
    ]),
  );
}
