import * as z from 'zod/mini';
import { unexpectedOutput } from '../../../errors.ts';
import type { Vectors } from './pooling.ts';
import { readSafetensors } from './safetensors.ts';

/** A layer that maps vectors to other vectors: a matrix, a bias, and a function of each number. */
export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** Of shape [outputs, inputs]. */
  readonly weights: Float32Array;
  /** Zeros if the layer has no bias. */
  readonly bias: Float32Array;
  readonly activate: (value: number) => number;
}

/** The functions of torch that such layers are saved with, by the last part of their names. */
const ACTIVATIONS: Readonly<Record<string, (value: number) => number>> = {
  Identity: (value) => value,
  ReLU: (value) => Math.max(0, value),
  Sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  Tanh: Math.tanh,
};

const configSchema = z.looseObject({
  in_features: z.int().check(z.minimum(1)),
  out_features: z.int().check(z.minimum(1)),
  bias: z._default(z.boolean(), true),
  activation_function: z._default(z.string(), 'torch.nn.modules.activation.Tanh'),
});

/**
 * Makes a layer from the files that the module Dense of sentence-transformers saves: `config.json` and
 * `model.safetensors`.
 *
 * @throws RangeError when the files are not those of such a layer
 */
export function createDenseLayer(configJson: unknown, file: Buffer): DenseLayer {
  const parsed = configSchema.safeParse(configJson);
  if (!parsed.success) throw new RangeError('its config.json does not describe a dense layer');
  const { in_features: inputs, out_features: outputs, bias, activation_function } = parsed.data;
  const name = activation_function.split('.').at(-1) ?? '';
  const activate = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (!activate) {
    throw new RangeError(
      `its activation ${JSON.stringify(name.slice(0, 60))} is unknown; expected one of ${Object.keys(ACTIVATIONS).join(', ')}`,
    );
  }
  const read = (tensor: string, shape: readonly number[]) => {
    const found = readSafetensors(file, tensor);
    if (found?.shape.join() === shape.join()) return found.values;
    throw new RangeError(`its tensor "${tensor}" is not of shape [${shape}]`);
  };
  return {
    inputs,
    outputs,
    weights: read('linear.weight', [outputs, inputs]),
    bias: bias ? read('linear.bias', [outputs]) : new Float32Array(outputs),
    activate,
  };
}

/**
 * Runs vectors through a layer.
 *
 * @throws InferenceError when the vectors have a size that the layer does not take, which graphs with dynamic axes can
 * give
 */
export function runDense(vectors: Vectors, layer: DenseLayer): Vectors {
  const { inputs, outputs, weights, bias, activate } = layer;
  const { count, size, values } = vectors;
  if (size !== inputs) {
    throw unexpectedOutput(`The model gives vectors of ${size} numbers; its dense layer takes ${inputs}.`);
  }
  const made = new Float64Array(count * outputs);
  for (let row = 0; row < count; row++) {
    for (let to = 0; to < outputs; to++) {
      let sum = bias[to] ?? 0;
      for (let from = 0; from < inputs; from++) {
        sum += (values[row * inputs + from] ?? 0) * (weights[to * inputs + from] ?? 0);
      }
      made[row * outputs + to] = activate(sum);
    }
  }
  return { count, size: outputs, values: made };
}
