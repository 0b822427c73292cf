import { createTasks } from '../../shared/inference/tasks.ts';

/** The tasks of a server that adds none. */
export const KNOWN_TASKS = createTasks();
