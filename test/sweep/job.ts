import type { Extent, Feeds } from './conditions.ts';

/** A model with its feeds. */
export interface Unit {
  readonly operator: string;
  readonly model: Uint8Array;
  readonly feeds: Feeds;
  /** How many changes of the feeds are run; 'alone' runs the feeds as they are, 'none' loads the model only. */
  readonly extent: Extent | 'alone' | 'none';
}

/** What one child runs. */
export interface Job {
  readonly units: readonly Unit[];
  /** Where an earlier child has ended. */
  readonly start: { readonly unit: number; readonly condition: number };
  /** Groups of conditions that are skipped, each as `operator|group`. */
  readonly skip: readonly string[];
  /** Whether tensors come from the runtime's arena, as in production, or each from malloc, where overruns show. */
  readonly hasArena: boolean;
}
