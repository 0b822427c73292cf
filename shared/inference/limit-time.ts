import type { Budget } from '../budget.ts';
import { InferenceError } from '../errors.ts';
import type { Session } from '../runtime/session.ts';

/**
 * The session with a deadline. Nothing interrupts a run, which is one native call: the clock is looked at before each
 * run, so that none is begun that nobody waits for, and after it.
 *
 * @param deadlineMs on the clock of `performance.now()`; infinity for none
 */
export function limitTime(session: Session, budget: Budget, deadlineMs = Number.POSITIVE_INFINITY): Session {
  const check = () => {
    if (performance.now() > deadlineMs) {
      throw new InferenceError(
        'DEADLINE_EXCEEDED',
        'The answer was not ready within the timeout of the request.',
      );
    }
  };
  const run: Session['run'] = async (feeds, fetches) => {
    budget.goOn();
    check();
    const outputs = await session.run(feeds, fetches);
    check();
    return outputs;
  };
  return { ...session, run };
}
