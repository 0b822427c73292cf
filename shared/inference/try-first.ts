import { ModelError } from '../models/model-config.ts';
import type { Graph } from '../onnx/graph.ts';
import { MOST_TURNS } from '../onnx/guard-loops.ts';
import { TrialError, type Trials } from '../runtime/trial.ts';
import { makesManyElements, takesManyTurns } from './check-run.ts';

/** Tensors below this share of the memory are made by honest models all the time. */
const SHARE_OF_MEMORY = 1 / 8;

/** What in a model could take this host down, for a sentence; undefined where nothing could. */
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
 * @param dangers why it is tried
 * @throws ModelError when that ended the process it was tried in, or would not end
 */
export async function tryFirst(dangers: string, attempt: () => Promise<void>): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    // All else is found out once more when it is loaded here, with its reason.
    if (!(error instanceof TrialError)) return;
    const reason = `its ${dangers}, so it was tried in a process of its own, and that ${error.message}`;
    throw new ModelError(reason, { cause: error });
  }
}

/** Made-up input need not suit a model; the end of the process, a loop without an end, or a huge tensor says more. */
export function passTrialError(error: unknown): void {
  if (error instanceof TrialError) throw error;
  if (makesManyElements(error)) {
    throw new TrialError('asked for a tensor that has no room in the memory of this host', { cause: error });
  }
  if (!takesManyTurns(error)) return;
  throw new TrialError(`did not end within ${MOST_TURNS} turns`, { cause: error });
}

function describeBytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toPrecision(2)} GB` : `${Math.round(bytes / 1e6)} MB`;
}
