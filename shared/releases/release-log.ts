import type { Card, Release, Serving } from './state.ts';

/** The state of a model after its newest change; revision 0 without any. */
export interface Current {
  readonly revision: number;
  readonly serving: Serving;
  readonly card: Card;
  /** The newest change itself; undefined at revision 0. */
  readonly release?: Release | undefined;
}

/** Who changes something, and why. */
export interface Signed {
  readonly by: string;
  readonly why: string;
  /** What was asked for, such as `promote 3`. */
  readonly action: string;
  /** The revision that the change was decided for; undefined: a change that fits any. */
  readonly expected?: number | undefined;
}

/** The states of all models of a repository, each with its history. */
export interface ReleaseLog {
  /** @throws StoreError */
  read(model: string): Promise<Current>;
  /**
   * Commits one change: whoever writes the next revision first has won. A change that fits any revision is made again
   * from the new state if another was faster.
   *
   * @param make the new state from the current one; it throws to refuse
   * @throws ConflictError when the expected revision is not the newest, StoreError
   */
  change(
    model: string,
    signed: Signed,
    make: (current: Current) => Promise<Changed> | Changed,
  ): Promise<Release>;
  /** All changes of a model, oldest first. */
  history(model: string): Promise<readonly Release[]>;
}

/** What a change leaves; members that are left out stay as they were. */
export interface Changed {
  readonly serving?: Serving;
  readonly card?: Card;
}

/** Somebody else has changed the model in the meantime. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
  readonly winner: Release;

  constructor(winner: Release) {
    const { model, revision, by, at, action } = winner;
    super(`${by} was faster: revision ${revision} of model "${model}" is "${action}", of ${at}.`);
    this.winner = winner;
  }
}
