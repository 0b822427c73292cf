import { setTimeout as wait } from 'node:timers/promises';
import type { WaitUntil } from '../shared/http/context.ts';

/** What a request leaves to be done after its answer. */
export interface WaitingWork {
  readonly waitUntil: WaitUntil;
  /** Whether there is nothing to do. */
  isEmpty(): boolean;
  /**
   * Does all of it, at the same time. Each piece is told to stop when its own budget is over, and not waited for any
   * longer. It never rejects.
   *
   * @param onError gets what a piece of work threw, or that its budget was over
   */
  run(onError: (error: unknown) => void): Promise<void>;
}

export function createWaitingWork(): WaitingWork {
  const pieces: { readonly work: Parameters<WaitUntil>[0]; readonly budgetMs: number }[] = [];
  return {
    waitUntil: (work, { budgetMs }) => void pieces.push({ work, budgetMs }),
    isEmpty: () => pieces.length === 0,
    run: async (onError) => {
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
