import type { Budget } from '../budget.ts';
import { unexpectedOutput } from '../errors.ts';
import type { ModelConfig } from '../models/model-config.ts';
import type { ModelFolder } from '../models/version-folder.ts';
import type { Graph } from '../onnx/graph.ts';
import type { ImageStep } from '../processing/registry.ts';
import type { NamedTensors, Session } from '../runtime/session.ts';
import { concatRows, type Tensor } from '../tensor/tensor.ts';
import { blameInputs, checkOutputs } from './check-run.ts';
import { createClassificationDecoder } from './decode-classification.ts';
import { createEmbeddingDecoder } from './decode-embedding.ts';
import { createRegressionDecoder } from './decode-regression.ts';
import { createFeatureEncoder } from './encode-features.ts';
import { createImageEncoder } from './encode-images.ts';
import { createTextEncoder } from './encode-texts.ts';
import { readDenseLayers } from './read-dense.ts';
import { batchSizeOf, runBatch } from './run-batch.ts';
import {
  type BatchEncoder,
  type Decoder,
  type EncodedBatch,
  LARGEST_EXAMPLE_BATCH,
  type TaskRunner,
  toBatchEncoder,
} from './task.ts';
import { createTensorTask } from './tensor-task.ts';

/** What of a model a task is bound to. */
export interface BoundModel {
  readonly graph: Graph;
  readonly session: Session;
  /** Its files, for tasks that need more of them than the graph. */
  readonly folder: ModelFolder;
}

/**
 * Binds a model's task to its session: what turns requests into inputs and what turns outputs into predictions.
 *
 * @throws ModelError when the graph is not one for that task, or a file the task needs is missing or broken
 */
export async function bindTask(config: ModelConfig, model: BoundModel): Promise<TaskRunner> {
  const { graph, session, folder } = model;
  switch (config.task) {
    case 'tabular-classification':
      return combine(
        createFeatureEncoder(session, config.features),
        createClassificationDecoder(session, graph, config),
      );
    case 'tabular-regression':
      return combine(
        createFeatureEncoder(session, config.features),
        createRegressionDecoder(session, config.output),
      );
    case 'image-classification':
      return ofImages(session, config.preprocess, () => createClassificationDecoder(session, graph, config));
    case 'text-classification':
      return combine(
        await createTextEncoder(session, folder, config),
        createClassificationDecoder(session, graph, config),
      );
    case 'feature-extraction': {
      const layers = await readDenseLayers(folder, config.dense);
      const createDecoder = () => createEmbeddingDecoder(session, config, layers);
      return config.preprocess
        ? ofImages(session, config.preprocess, createDecoder)
        : combine(await createTextEncoder(session, folder, config), createDecoder());
    }
    case 'tensor':
      return createTensorTask(session, config.labels);
  }
}

function ofImages(session: Session, steps: readonly ImageStep[], createDecoder: () => Decoder): TaskRunner {
  const encoder = createImageEncoder(session, steps);
  return { ...combine(toBatchEncoder(encoder), createDecoder()), encoder };
}

function combine(encoder: BatchEncoder, decoder: Decoder): TaskRunner {
  return {
    decoder,
    labels: decoder.labels,
    features: encoder.features,
    example: encoder.exampleRequest,
    infer: async (input, session, budget: Budget) => {
      const batch = await encoder.encode(input, budget);
      const outputs = await runBatch(session, batch.feeds, decoder.fetches).catch(blameInputs);
      const output = decoder.decode(checkOutputs(outputs, budget.limits), batch);
      if (output.kind !== 'tensors' && output.predictions.length !== batch.rows) {
        throw unexpectedOutput(
          `The model gives ${output.predictions.length} predictions for ${batch.rows} instances; its output has no batch axis.`,
        );
      }
      return output;
    },
    warmUp: async (session) => {
      const batchSize = batchSizeOf(session);
      if (batchSize > LARGEST_EXAMPLE_BATCH) return;
      await runBatch(session, repeat(encoder.example(), batchSize), decoder.fetches);
    },
  };
}

/** The example as often as a graph with a fixed batch size wants it. */
function repeat({ feeds }: EncodedBatch, batchSize: number): NamedTensors {
  const copies = Math.max(1, batchSize) - 1;
  return new Map(
    [...feeds].map(([name, tensor]) => [
      name,
      concatRows([tensor, ...new Array<Tensor>(copies).fill(tensor)]),
    ]),
  );
}
