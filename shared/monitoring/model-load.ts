import type { ModelReference } from '../models/model-reference.ts';

/** A load of a model that has ended. */
export interface ModelLoad {
  readonly reference: ModelReference;
  readonly durationMs: number;
  /** Whether the model can be used now. */
  readonly succeeded: boolean;
}
