import { InferenceError } from '../errors.ts';
import type { Session } from '../runtime/session.ts';

/**
 * The session with a deadline. Nothing interrupts a run, which is one native call: the clock is looked at before each
 * run, so that none is begun in vain, and behind it.
 *
 * @param deadlineMs on the clock of `performance.now()`; infinity for none
 */
export function limitTime(session: Session, deadlineMs: number): Session {
  const check = () => {
    if (performance.now() > deadlineMs) {
      throw new InferenceError(
        'DEADLINE_EXCEEDED',
        'The answer was not ready within the timeout of the request.',
      );
    }
  };
  const run: Session['run'] = async (feeds, fetches) => {
    check();
    const outputs = await session.run(feeds, fetches);
    check();
    return outputs;
  };
  return { ...session, run };
}
