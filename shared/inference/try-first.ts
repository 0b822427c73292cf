import { ModelError } from '../models/model-config.ts';
import type { Graph } from '../onnx/graph.ts';
import { MOST_TURNS } from '../onnx/guard-names.ts';
import type { Trials } from '../runtime/trial.ts';
import { TrialError } from '../runtime/trial-protocol.ts';
import { makesManyElements, takesManyTurns } from './check-run.ts';

/** Ordinary models often make tensors up to this share of the memory. */
const SHARE_OF_MEMORY = 1 / 8;

/** What in a model could end this process, for a sentence; undefined if nothing could. */
export function findDangers({ risks }: Graph, { memoryBytes }: Trials): string | undefined {
  const dangers = risks
    .filter(({ bytes = Number.POSITIVE_INFINITY }) => bytes > memoryBytes * SHARE_OF_MEMORY)
    .map(
      ({ operator, why, bytes }) =>
        `${operator} ${why}${bytes === undefined ? '' : ` (${describeBytes(bytes)})`}`,
    );
  const [first, ...others] = new Set(dangers);
  if (first === undefined) return undefined;
  return others.length === 0 ? first : `${first}, and ${others.length} more`;
}

/**
 * Tries a model before it is loaded here.
 *
 * @param dangers why the model is tried
 * @throws ModelError when the trial ended its process, or did not end
 */
export async function tryFirst(dangers: string, attempt: () => Promise<void>): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    // All other errors occur again, with their reasons, when the model is loaded here.
    if (!(error instanceof TrialError)) return;
    const reason = `its ${dangers}, so it was tried in a separate process, which ${error.message}`;
    throw new ModelError(reason, { cause: error });
  }
}

/**
 * Made-up input may not suit a model, so its errors are ignored, except for an ended process, an endless loop, or a
 * huge tensor.
 */
export function passTrialError(error: unknown): void {
  if (error instanceof TrialError) throw error;
  if (makesManyElements(error)) {
    throw new TrialError('needed a tensor that does not fit into the memory of this host', { cause: error });
  }
  if (!takesManyTurns(error)) return;
  throw new TrialError(`did not end within ${MOST_TURNS} iterations`, { cause: error });
}

function describeBytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toPrecision(2)} GB` : `${Math.round(bytes / 1e6)} MB`;
}
