import { createLimiter } from '../limiter.ts';
import type { ModelFile } from './open-model-file.ts';
import type { Session, SessionOptions } from './session.ts';
import type { TrialOptions } from './trial-process.ts';

export interface Trials {
  /** Memory of the host. */
  readonly memoryBytes: number;
  /**
   * Opens a model in a separate process for the duration of a callback. Its runs return no results. Trials run one at a
   * time, as each may take all the memory that is left.
   *
   * @throws TrialError when the process does not survive it
   */
  use<R>(file: ModelFile, options: SessionOptions, action: (session: Session) => Promise<R>): Promise<R>;
}

export function createTrials(options: TrialOptions): Trials {
  const oneByOne = createLimiter(1);
  return {
    memoryBytes: options.memoryBytes,
    use: (file, sessionOptions, action) =>
      oneByOne(async () => {
        // Most hosts never need it.
        const { startTrial } = await import('./trial-process.ts');
        const trial = await startTrial(options, file);
        try {
          return await action(await trial.open(sessionOptions));
        } finally {
          trial.end();
        }
      }),
  };
}
