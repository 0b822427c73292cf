import type { Budget } from '../budget.ts';
import { InferenceError, invalid } from '../errors.ts';
import { decodeBase64 } from '../http/base64.ts';
import type { NamedTensors, Session } from '../runtime/session.ts';
import type { Located } from '../values/input.ts';
import { type BytesInput, isBytesInput, type NamedInputs } from '../values/named-inputs.ts';
import { checkFeeds, checkFetches, checkNames } from './check-feeds.ts';
import type { Model } from './load-model.ts';
import { batchSizeOf, type Runner } from './run-batch.ts';
import type { Preprocessor } from './task.ts';

export interface TensorOptions {
  /** Names of the outputs wanted, in order; undefined for all. */
  readonly outputs?: readonly string[] | undefined;
  /** Whether the first axis counts instances: a graph with a fixed batch size is then run on batches of it. */
  readonly isBatch?: boolean | undefined;
}

/**
 * Runs a model on tensors, whatever its task. BYTES of shape [N] sent to the one numeric input of an image model are
 * N encoded images, which go through the model's own preprocessing; in JSON they are base64 text. (The convention of
 * OpenVINO Model Server.)
 *
 * @throws InferenceError when an input does not fit the graph, or an output does not exist
 */
export async function inferTensors(
  { session, task: { preprocessor } }: Model,
  inputs: NamedInputs,
  { outputs, isBatch = false }: TensorOptions,
  run: Runner,
  budget: Budget,
): Promise<NamedTensors> {
  const fetches = checkFetches(outputs ?? session.outputs.map(({ name }) => name), session);
  const images = await preprocessImages(preprocessor, session, inputs, budget);
  if (images) return await run(images, { fetches, isBatch: true });
  return await run(isBatch ? checkInstances(inputs, session) : checkFeeds(inputs, session), {
    fetches,
    isBatch,
  });
}

/** Any number of instances is taken: a graph with a fixed batch size gets batches of them. */
function checkInstances(inputs: NamedInputs, session: Session): NamedTensors {
  if (batchSizeOf(session) === -1) return checkFeeds(inputs, session);
  const anySize = session.inputs.map((spec) =>
    spec.batchAxis === 0 ? { ...spec, shape: spec.shape.with(0, -1) } : spec,
  );
  return checkFeeds(inputs, { ...session, inputs: anySize });
}

/** The feeds that encoded images become; undefined where the inputs hold none. */
async function preprocessImages(
  preprocessor: Preprocessor | undefined,
  session: Session,
  inputs: NamedInputs,
  budget: Budget,
): Promise<NamedTensors | undefined> {
  const name = preprocessor?.imageInput;
  const given = name === undefined ? undefined : inputs.get(name);
  if (!preprocessor || name === undefined || !given || !isBytesInput(given)) return undefined;
  checkNames(inputs, session.inputs);
  const images = readImages(given, name, budget);
  return (await preprocessor.preprocess({ kind: 'image', images }, budget)).feeds;
}

function readImages({ shape, elements }: BytesInput, name: string, budget: Budget): Located<Uint8Array>[] {
  if (shape.length !== 1 && !(shape.length === 2 && shape[1] === 1)) {
    throw invalid(`Input "${name}"`, `has the shape [${shape}]; encoded images have the shape [N].`);
  }
  if (elements.length === 0) throw invalid(`Input "${name}"`, 'has no images.');
  const { batchSize } = budget.limits;
  if (elements.length > batchSize) {
    throw new InferenceError('PAYLOAD_TOO_LARGE', [
      `Input "${name}"`,
      `has ${elements.length} images; the limit is ${batchSize} (MAX_BATCH_SIZE).`,
    ]);
  }
  return elements.map((element, index) => {
    const field = elements.length === 1 ? name : `${name}[${index}]`;
    return { value: typeof element === 'string' ? decodeBase64(element, field) : element, field };
  });
}
