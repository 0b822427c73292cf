import type { Objective } from '../models/model-config.ts';
import type { ModelReference } from '../models/model-reference.ts';

/** A load of a model that has ended. */
export interface ModelLoad {
  readonly reference: ModelReference;
  readonly durationMs: number;
  /** Whether the model can be used now. */
  readonly succeeded: boolean;
  /** Whether the releases of the model let requests get this version; undefined if it could be loaded. */
  readonly isReleased?: boolean | undefined;
  /** What its callers can rely on; undefined if its config does not say, or if it could not be loaded. */
  readonly objective?: Objective | undefined;
  /** The features of a tabular model, in their order; undefined if it has none with names. */
  readonly features?: readonly { readonly name: string }[] | undefined;
}
