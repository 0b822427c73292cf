import { InferenceError } from '../errors.ts';
import type { ModelConfig } from '../models/model-config.ts';
import type { Graph } from '../onnx/graph.ts';
import type { Session } from '../runtime/session.ts';
import { concatRows, type Tensor } from '../tensor/tensor.ts';
import { createClassificationDecoder } from './decode-classification.ts';
import { createRegressionDecoder } from './decode-regression.ts';
import { createFeatureEncoder } from './encode-features.ts';
import { createImageEncoder } from './encode-images.ts';
import { runBatch } from './run-batch.ts';
import type { Decoder, Encoder, TaskRunner } from './task.ts';
import { createTensorTask } from './tensor-task.ts';

/**
 * Binds a model's task to its session.
 *
 * @throws ModelError when the graph is not one for that task
 */
export function bindTask(config: ModelConfig, graph: Graph, session: Session): TaskRunner {
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
      return combine(
        createImageEncoder(session, config.preprocess),
        createClassificationDecoder(session, graph, config),
      );
    case 'tensor':
      return createTensorTask(session);
  }
}

function combine(encoder: Encoder, decoder: Decoder): TaskRunner {
  return {
    encoder,
    decoder,
    labels: decoder.labels,
    example: encoder.exampleRequest,
    infer: async (input, session, limits) => {
      const tensor = await encoder.encode(input, limits);
      const output = decoder.decode(await runBatch(session, encoder.input, tensor, decoder.fetches));
      const given = tensor.shape[0] ?? 0;
      if (output.kind !== 'tensors' && output.predictions.length !== given) {
        throw new InferenceError(
          'MODEL_UNAVAILABLE',
          `The model gives ${output.predictions.length} predictions for ${given} instances; its output has no batch axis.`,
        );
      }
      return output;
    },
    warmUp: async (session) => {
      await runBatch(session, encoder.input, repeat(encoder), decoder.fetches);
    },
  };
}

/** The example as often as a graph with a fixed batch size wants it. */
function repeat({ input, example }: Encoder): Tensor {
  const one = example();
  const copies = Math.max(1, input.shape[0] ?? 1);
  return concatRows([one, ...new Array<Tensor>(copies - 1).fill(one)]);
}
