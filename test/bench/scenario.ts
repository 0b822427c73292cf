import type { Contender, MetricName, Recorder } from './results.ts';

/** What a scenario gets: how much to measure, and where to put the values. */
export interface Bench extends Pick<Recorder, 'record' | 'note'> {
  readonly isQuick: boolean;
  /** How often each contender takes its turn. */
  readonly rounds: number;
  /** Length of one turn under load, in whole seconds. */
  readonly seconds: number;
  /** Whether software that people use instead takes part. */
  readonly hasPeers: boolean;
  /** An empty folder, removed at the end of the scenario. */
  readonly folder: string;
  /** Shows what happens now. */
  progress(text: string): void;
  /** Keeps something to be done at the end of the scenario, the latest first; it is done after an error, too. */
  defer(action: () => unknown): void;
}

/** Something that users do, measured for Ternion and for the least that does the same work. */
export interface Scenario {
  /** As in `--only <name>`. */
  readonly name: string;
  readonly title: string;
  /** What happens in it and what the limits are, for readers of the page. */
  readonly about: string;
  readonly contenders: readonly Contender[];
  /** The metric of its plot. */
  readonly plot: MetricName;
  run(bench: Bench): Promise<void>;
}

/** The contenders of a round. In every other round they are in reverse, because the machine is warmer for later ones. */
export function inTurn<T>(contenders: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? contenders : contenders.toReversed();
}
