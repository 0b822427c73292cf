import type { Budget } from '../budget.ts';
import { InferenceError, invalid } from '../errors.ts';
import { decodeBase64 } from '../http/base64.ts';
import type { NamedTensors, Session } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';
import {
  type BytesInput,
  checkFeeds,
  checkFetches,
  checkNames,
  isBytesInput,
  type NamedInputs,
} from './check-feeds.ts';
import { blameInputs, checkOutputs } from './check-run.ts';
import type { Model } from './load-model.ts';
import { batchSizeOf, runBatch, runRows } from './run-batch.ts';
import type { Encoder } from './task.ts';

export interface TensorRunOptions {
  /** Names of the outputs wanted, in order; undefined for all. */
  readonly outputs: readonly string[] | undefined;
  /** Whether the first axis counts instances. */
  readonly isBatch?: boolean;
}

/**
 * Runs a model on tensors, whatever its task. BYTES of shape [N] sent to the one numeric input of an image model are
 * N encoded images, which go through the model's own preprocessing; in JSON they are base64 text. (The convention of
 * OpenVINO Model Server.)
 *
 * @throws InferenceError when an input does not fit the graph, or an output does not exist
 */
export async function inferTensors(
  model: Model,
  session: Session,
  inputs: NamedInputs,
  { outputs, isBatch = false }: TensorRunOptions,
  budget: Budget,
): Promise<NamedTensors> {
  const fetches = checkFetches(outputs ?? session.outputs.map(({ name }) => name), session);
  const images = await encodeImages(model, session, inputs, budget);
  const outcome = images
    ? runBatch(session, images, fetches)
    : isBatch
      ? runInstances(session, inputs, fetches, budget)
      : session.run(checkFeeds(inputs, session), fetches);
  return checkOutputs(await outcome.catch(blameInputs), budget.limits);
}

/** Runs instances, in portions where the graph has a fixed batch size. */
async function runInstances(
  session: Session,
  inputs: NamedInputs,
  fetches: readonly string[],
  { goOn }: Budget,
): Promise<NamedTensors> {
  if (batchSizeOf(session) === -1) return await runRows(session, checkFeeds(inputs, session), fetches, goOn);
  const anySize = session.inputs.map((spec) => ({ ...spec, shape: [-1, ...spec.shape.slice(1)] }));
  return await runBatch(session, checkFeeds(inputs, { ...session, inputs: anySize }), fetches);
}

/** The feeds that encoded images become; undefined where the inputs hold none. */
async function encodeImages(
  { task: { encoder } }: Model,
  session: Session,
  inputs: NamedInputs,
  budget: Budget,
): Promise<NamedTensors | undefined> {
  const images = encoder && inputs.get(encoder.input.name);
  if (!encoder || !images || !isBytesInput(images)) return undefined;
  checkNames(inputs, session.inputs);
  return new Map([[encoder.input.name, await encodeElements(images, encoder, budget)]]);
}

async function encodeElements(
  { shape, elements }: BytesInput,
  encoder: Encoder,
  budget: Budget,
): Promise<Tensor> {
  const name = encoder.input.name;
  if (shape.length !== 1 && !(shape.length === 2 && shape[1] === 1)) {
    throw invalid(`Input "${name}" has the shape [${shape}]; encoded images have the shape [N].`);
  }
  if (elements.length === 0) throw invalid(`Input "${name}" has no images.`);
  const { batchSize } = budget.limits;
  if (elements.length > batchSize) {
    throw new InferenceError(
      'PAYLOAD_TOO_LARGE',
      `Input "${name}" has ${elements.length} images; the limit is ${batchSize} (MAX_BATCH_SIZE).`,
    );
  }
  const images = elements.map((element, index) => {
    const field = elements.length === 1 ? name : `${name}[${index}]`;
    return { value: typeof element === 'string' ? decodeBase64(element, field) : element, field };
  });
  return await encoder.encode({ kind: 'image', images }, budget);
}
