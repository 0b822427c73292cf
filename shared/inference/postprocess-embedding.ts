import { invalid } from '../errors.ts';
import { ModelError } from '../models/model-config.ts';
import { type DenseLayer, runDense } from '../processing/text/embedding/dense.ts';
import {
  cutVectors,
  normalizeVectors,
  type Pooling,
  poolVectors,
  readVectors,
  type Vectors,
} from '../processing/text/embedding/pooling.ts';
import type { Session, TensorSpec } from '../runtime/session.ts';
import { DATATYPES } from '../tensor/datatype.ts';
import { createTensor, type Tensor } from '../tensor/tensor.ts';
import type { EmbeddingOptions, FieldValue } from '../values/input.ts';
import { describeMisfit } from './describe-misfit.ts';
import type { PromptConfig } from './prompts.ts';
import type { Postprocessor } from './task.ts';

/** Pooling that depends on the order of the vectors; positions of an image have no order. */
const BY_PLACE: readonly Pooling[] = ['cls', 'last', 'weightedMean'];

interface EmbeddingConfig extends PromptConfig {
  readonly output?: string | undefined;
  readonly pooling: Pooling;
  readonly normalize: boolean;
}

/**
 * Reads the vector of each text or image. Outputs `[N, D]` are already vectors. Outputs with a vector for each token
 * `[N, T, D]` or position `[N, C, H, W]` are pooled over everything that is not padding.
 *
 * @param layers dense layers that the pooled vectors go through
 * @throws ModelError when it is not clear which output holds the vectors, or the layers do not accept them
 */
export function createEmbeddingPostprocessor(
  session: Session,
  config: EmbeddingConfig,
  layers: readonly DenseLayer[] = [],
): Postprocessor {
  const output = findOutput(session, config.output);
  checkLayers(output, layers);
  const isVector = output.shape.length === 2;
  if (output.shape.length < 2 || output.shape.length > 4) {
    throw new ModelError(
      `its output "${output.name}" is [${output.shape}]; embeddings are [N,D], [N,T,D] or [N,C,H,W]`,
    );
  }
  if (isVector && config.pooling !== 'none') {
    throw new ModelError(
      `its output "${output.name}" has one vector per instance, so there is nothing to pool: its "pooling" must be "none"`,
    );
  }
  if (isVector) checkPrompt(config);
  if (output.shape.length === 4 && BY_PLACE.includes(config.pooling)) {
    throw new ModelError(
      `its output "${output.name}" has a vector for each position of an image, in no order: its "pooling" cannot be "${config.pooling}"`,
    );
  }
  return {
    fetches: [output.name],
    labels: undefined,
    givesVectors: isVector || config.pooling !== 'none',
    misfit: (outputs, rows) =>
      describeMisfit(outputs, output.name, rows, `embeddings need [${rows},dimensions]`),
    postprocess: (outputs, { mask, promptTokens, tokens, options = {} }) => {
      if (isVector) checkOptions(options, config, promptTokens);
      const doNormalize = options.normalize?.value ?? config.normalize;
      const tensor = outputs.get(output.name);
      const length = mask?.shape[1] ?? 0;
      const predictions = (tensor ? readVectors(tensor) : []).map((vectors, row): Tensor => {
        const rowMask = mask && Array.from(mask.data.slice(row * length, (row + 1) * length), Number);
        const pooled = poolVectors(vectors, rowMask, config.pooling, promptTokens);
        const made = layers.reduce(runDense, pooled);
        const cut = options.dimensions ? cutTo(options.dimensions, made) : made;
        const { count, size, values } = doNormalize ? normalizeVectors(cut) : cut;
        const shape = isVector || config.pooling !== 'none' ? [size] : [count, size];
        return createTensor(tensor?.datatype === 'FP64' ? 'FP64' : 'FP32', shape, values);
      });
      const usage = { tokens, dimensions: predictions[0]?.shape.at(-1) };
      return { kind: 'embedding', predictions, usage };
    },
  };
}

/** @throws ModelError for a prompt that should not be pooled although the graph pools it */
function checkPrompt({ prompts, defaultPrompt, includePrompt }: PromptConfig): void {
  if (includePrompt !== false || !prompts?.[defaultPrompt ?? '']) return;
  throw new ModelError(
    `its graph also pools the tokens of the prompt "${defaultPrompt}", although "includePrompt" is false`,
  );
}

/**
 * Refuses options that a graph that makes the vectors itself cannot support.
 *
 * @throws InferenceError with the option
 */
function checkOptions(
  { normalize, prompt }: EmbeddingOptions,
  config: EmbeddingConfig,
  promptTokens: number | undefined,
): void {
  if (prompt && promptTokens !== undefined) {
    throw invalid(
      `Field "${prompt.field}"`,
      'cannot be used: the graph of this model also pools the prompt, which its config rules out.',
    );
  }
  if (normalize?.value === false && config.normalize) {
    throw invalid(
      `Field "${normalize.field}"`,
      'is false; the graph of this model gives vectors of length 1.',
    );
  }
}

/** @throws InferenceError for more numbers than the vectors have */
function cutTo({ value, field }: FieldValue<number>, vectors: Vectors): Vectors {
  if (value <= vectors.size) return cutVectors(vectors, value);
  throw invalid(`Field "${field}"`, `is ${value}; the vectors of this model have ${vectors.size} numbers.`);
}

/** Each layer must take the vectors of the one before it; a graph may leave the size of its own vectors open. */
function checkLayers({ name, shape }: TensorSpec, layers: readonly DenseLayer[]): void {
  let size = (shape.length === 4 ? shape[1] : shape.at(-1)) ?? -1;
  for (const { inputs, outputs } of layers) {
    if (size !== -1 && size !== inputs) {
      throw new ModelError(
        `its "dense" layer takes vectors of ${inputs} numbers, but gets ${size} from output "${name}"`,
      );
    }
    size = outputs;
  }
}

function findOutput(session: Session, configured: string | undefined): TensorSpec {
  const candidates = configured
    ? session.outputs.filter(({ name }) => name === configured)
    : session.outputs.filter(({ datatype }) => DATATYPES[datatype].kind === 'float');
  const [output] = candidates;
  if (output && candidates.length === 1 && DATATYPES[output.datatype].kind === 'float') return output;
  const names = session.outputs.map(({ name }) => name).join(', ') || 'none';
  throw new ModelError(
    configured
      ? `its model.json names the output "${configured}" for the embedding, but the graph's outputs are: ${names}`
      : `its model.json must name the "output" that holds the embedding: one of ${names}`,
  );
}
