import type { Limits } from '../config.ts';
import { InferenceError } from '../errors.ts';
import { GROWTH_GUARD, MOST_TURNS, TURNS_GUARD } from '../onnx/guard-names.ts';
import type { NamedTensors } from '../runtime/session.ts';

/**
 * Names, datatypes and shapes were checked against the graph before. What a node can still refuse are values and sizes
 * that do not fit together, which only the client can fix.
 */
export function blameInputs(error: unknown): never {
  const isRefusal =
    error instanceof Error && error.message.includes('Non-zero status code returned while running');
  if (!isRefusal) throw error;
  if (/allocate/i.test(error.message)) {
    const text = 'The model needs more memory for these inputs than is available.';
    throw new InferenceError('PAYLOAD_TOO_LARGE', text, { cause: error });
  }
  if (makesManyElements(error)) {
    const text = 'The model would make more elements of these inputs than this host has room for.';
    throw new InferenceError('PAYLOAD_TOO_LARGE', text, { cause: error });
  }
  if (takesManyTurns(error)) {
    const text = `The model takes more than ${MOST_TURNS} loop iterations for these inputs, which is the limit.`;
    throw new InferenceError('INVALID_PARAMETER_VALUE', text, { cause: error });
  }
  throw new InferenceError(
    'INVALID_PARAMETER_VALUE',
    'The model cannot compute with these inputs: their values or sizes do not fit together.',
    { cause: error },
  );
}

/** Why a run failed, for clients. */
export function describeRefusal(error: unknown): string {
  try {
    return blameInputs(error);
  } catch (blamed) {
    return blamed instanceof InferenceError
      ? blamed.message
      : 'The runtime refuses to run it; the log says why.';
  }
}

/** Whether a run was stopped because of the iterations of a loop. */
export function takesManyTurns(error: unknown): boolean {
  return error instanceof Error && error.message.includes(TURNS_GUARD);
}

/** Whether a run was stopped because a tensor would have had too many elements. */
export function makesManyElements(error: unknown): boolean {
  return error instanceof Error && error.message.includes(GROWTH_GUARD);
}

/** Small inputs can lead to huge outputs, whose text would not fit into memory. */
export function checkOutputs(outputs: NamedTensors, limits: Limits): NamedTensors {
  for (const [name, { data }] of outputs) {
    if (data.length > limits.tensorElements) {
      throw new InferenceError('PAYLOAD_TOO_LARGE', [
        `Output "${name}"`,
        `has ${data.length} elements; the limit is ${limits.tensorElements} (MAX_TENSOR_ELEMENTS).`,
      ]);
    }
  }
  return outputs;
}
