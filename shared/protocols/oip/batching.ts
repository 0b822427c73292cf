import type { Session } from '../../runtime/session.ts';

/** Whether a model takes batches of any size, as Triton's `max_batch_size` above 0 says: all inputs begin with it. */
export function hasOpenBatch({ inputs }: Session): boolean {
  return inputs.length > 0 && inputs.every(({ shape }) => shape[0] === -1);
}
