import * as z from 'zod';
import { checkJson, checkJsonText } from '../json/describe-issues.ts';
import { type ConfigReader, commonMembers, type ModelConfig, ModelError } from '../models/model-config.ts';
import type { Task } from './task.ts';
import { featureExtraction } from './tasks/feature-extraction.ts';
import { imageClassification } from './tasks/image-classification.ts';
import { labels } from './tasks/members.ts';
import { tabular } from './tasks/tabular.ts';
import { tabularClassification } from './tasks/tabular-classification.ts';
import { tabularRegression } from './tasks/tabular-regression.ts';
import { tensor } from './tasks/tensor.ts';
import { textClassification } from './tasks/text-classification.ts';

/** All tasks. To add one, add a line here and a file next to the others. */
export const TASKS: readonly Task[] = [
  tabularClassification,
  tabularRegression,
  tabular,
  imageClassification,
  textClassification,
  featureExtraction,
  tensor,
];

/** The schema of a `model.json` for a list of tasks, distinguished by the member `task`. */
export function configSchemaOf(tasks: readonly Task[]) {
  const [first, ...others] = tasks.map(({ schema }) => schema);
  if (!first) throw new Error('a server without tasks can serve nothing');
  return z.discriminatedUnion('task', [first, ...others]);
}

/** The members of a config that are known for every task; the schema has already checked the rest. */
const anyConfig = z.looseObject({ task: z.string(), labels, ...commonMembers });

/** The tasks that a server knows. */
export interface Tasks extends ConfigReader {
  /** The task of a parsed config. */
  of(config: ModelConfig): Task;
}

export function createTasks(tasks: readonly Task[] = TASKS): Tasks {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const schema = configSchemaOf(tasks);
  return {
    parse: (text) => {
      const parsed = checkJsonText(schema, text);
      if (parsed.success) return withoutSchema(anyConfig.parse(parsed.data));
      throw new ModelError(`its model.json ${parsed.problem}`);
    },
    check: (config) => {
      const parsed = checkJson(schema, config);
      if (parsed.success) return anyConfig.parse(parsed.data);
      throw new ModelError(`its preprocessing is not supported (${parsed.issues})`);
    },
    canHaveLabels: (task) => Object.hasOwn(byName.get(task)?.schema.shape ?? {}, 'labels'),
    of: ({ task: name }) => {
      const task = byName.get(name);
      if (!task) throw new Error(`the task ${name} is unknown`);
      return task;
    },
  };
}

function withoutSchema({ $schema: _, ...config }: ModelConfig): ModelConfig {
  return config;
}
