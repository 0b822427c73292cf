import type { Session } from '../runtime/session.ts';
import type { ModelContract } from '../values/contract.ts';
import type { TaskRunner } from './task.ts';

/** A graph with its task, and what it takes. */
export interface BoundGraph {
  readonly session: Session;
  readonly task: TaskRunner;
  readonly contract: ModelContract;
}
