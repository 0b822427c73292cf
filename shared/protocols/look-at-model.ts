import type { Answer } from '../http/context.ts';
import type { Inference } from '../inference/inference.ts';
import type { ModelContract } from '../values/contract.ts';
import type { InputKind } from '../values/input.ts';
import type { Invocation } from './invocation.ts';

/** A request with its model: the model is looked up once, and not again by the code that answers. */
export interface LookedAt {
  readonly contract: ModelContract;
  readonly invocation: Invocation;
  /** Milliseconds until the model could be asked. */
  readonly loadMs: number;
}

/**
 * Asks the model of a request what it takes, if only that decides which server's format the request is in.
 *
 * @param kind kind of input in the request; it selects a model if the request names none
 * @throws InferenceError
 */
export async function lookAtModel(
  invocation: Invocation,
  inference: Inference,
  kind: InputKind,
): Promise<LookedAt> {
  const reference = await inference.resolve({ ...invocation.choice, kind }, invocation);
  // It runs nothing, so shadows get no copy of it.
  const { context, budget } = invocation;
  const { value: contract, usage } = await inference.use(
    { reference },
    { context, budget },
    (model) => model.contract,
  );
  return { contract, invocation: { ...invocation, choice: { reference } }, loadMs: usage.loadMs };
}

/** The time to load the model for this look counts for the request. */
export function addLoad(answer: Answer, loadMs = 0): Answer {
  const { usage } = answer;
  if (!usage || loadMs === 0) return answer;
  return {
    ...answer,
    usage: { ...usage, askedMs: usage.askedMs - loadMs, loadMs: usage.loadMs + loadMs },
  };
}
