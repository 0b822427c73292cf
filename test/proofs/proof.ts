/** A guarantee of docs/guarantees.md, with the simulation that shows it. */
export interface Proof {
  /** As in `npm run proofs -- <name>`; its file in this folder has the same name. */
  readonly name: string;
  /** What is guaranteed, as the table in docs/guarantees.md says it. */
  readonly guarantee: string;
  /** Breaks the guarantee on purpose: a simulation that does not notice this shows nothing. */
  readonly control: string;
  /**
   * One run. All random choices come from `random`, so that a seed repeats it as far as clocks and the scheduler allow.
   *
   * @param isBroken whether the control runs instead of the real thing
   */
  run(random: Random, isBroken: boolean): Promise<Outcome>;
}

export interface Outcome {
  /** How often the guarantee could have been broken. */
  readonly tried: number;
  /** A description of each time that it was broken. */
  readonly violations: readonly string[];
}

/** Random choices that a seed repeats. */
export interface Random {
  /** From 0 to 1, without 1. */
  next(): number;
  /** A whole number below a limit. */
  below(limit: number): number;
}

/** Source: mulberry32, a generator of 32 bits in the public domain. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (limit) => Math.floor(next() * limit) };
}
