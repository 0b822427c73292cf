import { setTimeout as wait } from 'node:timers/promises';
import type { WaitUntil } from '../shared/http/context.ts';

/** The work that a request leaves for after its answer. */
export interface WaitingWork {
  readonly waitUntil: WaitUntil;
  /** Whether there is nothing to do. */
  isEmpty(): boolean;
  /**
   * Does all the work, at the same time. When the budget of a piece is used up, the piece is aborted and no longer
   * awaited. It never rejects.
   *
   * @param onError gets the error of a piece of work, or the error that its budget is used up
   */
  run(onError: (error: unknown) => void): Promise<void>;
}

export function createWaitingWork(): WaitingWork {
  const pieces: { readonly work: Parameters<WaitUntil>[0]; readonly budgetMs: number }[] = [];
  return {
    waitUntil: (work, { budgetMs }) => void pieces.push({ work, budgetMs }),
    isEmpty: () => pieces.length === 0,
    run: async (onError) => {
      if (pieces.length === 0) return;
      await Promise.all(pieces.splice(0).map(({ work, budgetMs }) => runPiece(work, budgetMs, onError)));
    },
  };
}

async function runPiece(
  work: Parameters<WaitUntil>[0],
  budgetMs: number,
  onError: (error: unknown) => void,
): Promise<void> {
  const budget = new AbortController();
  const timer = new AbortController();
  const over = wait(budgetMs, undefined, { signal: timer.signal }).then(() => {
    budget.abort();
    throw new Error(`work after an answer took more than its budget of ${budgetMs} ms`);
  });
  try {
    await Promise.race([work(budget.signal), over]);
  } catch (error) {
    onError(error);
  } finally {
    timer.abort();
    await over.catch(() => undefined);
  }
}
