import * as z from 'zod/mini';
import { checkValue } from '../json/check-json.ts';
import { memberOf, parseText, readOf, SELDOM } from '../json/json-file.ts';
import { loadOnce } from '../memo.ts';
import { type ConfigReader, commonMembers, type ModelConfig, ModelError } from '../models/model-config.ts';
import type { InputKind } from '../values/input.ts';
import type { Task } from './task.ts';
import { labels } from './tasks/members.ts';

/** A task that is loaded with the first model that has it. */
export interface ListedTask {
  readonly name: string;
  /** Whether it has the member `labels` of model.json. */
  readonly hasLabels: boolean;
  /** The kinds of input that its models can take. */
  readonly kinds: readonly InputKind[];
  readonly load: () => Promise<Task>;
}

/** All tasks. To add one, add a line here and a file next to the others. */
export const TASKS: readonly ListedTask[] = [
  {
    name: 'tabular-classification',
    hasLabels: true,
    kinds: ['features'],
    load: async () => (await import('./tasks/tabular-classification.ts')).tabularClassification,
  },
  {
    name: 'tabular-regression',
    hasLabels: false,
    kinds: ['features'],
    load: async () => (await import('./tasks/tabular-regression.ts')).tabularRegression,
  },
  {
    name: 'tabular',
    hasLabels: false,
    kinds: ['features'],
    load: async () => (await import('./tasks/tabular.ts')).tabular,
  },
  {
    name: 'image-classification',
    hasLabels: true,
    kinds: ['image'],
    load: async () => (await import('./tasks/image-classification.ts')).imageClassification,
  },
  {
    name: 'text-classification',
    hasLabels: true,
    kinds: ['text'],
    load: async () => (await import('./tasks/text-classification.ts')).textClassification,
  },
  {
    name: 'feature-extraction',
    hasLabels: false,
    kinds: ['text', 'image'],
    load: async () => (await import('./tasks/feature-extraction.ts')).featureExtraction,
  },
  {
    name: 'tensor',
    hasLabels: true,
    kinds: ['tensors'],
    load: async () => (await import('./tasks/tensor.ts')).tensor,
  },
];

/** Loads all of these tasks, in their order. */
export async function loadTasks(listed: readonly ListedTask[]): Promise<readonly Task[]> {
  return await Promise.all(listed.map(({ load }) => load()));
}

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
  /** Whether a model of this task could take such input; true for a task that is not known. */
  canTake(task: string, kind: InputKind): boolean;
  /** The task of a parsed config. */
  of(config: ModelConfig): Promise<Task>;
}

export function createTasks(tasks: readonly ListedTask[] = TASKS): Tasks {
  const byName = new Map(tasks.map(({ load, ...task }) => [task.name, { ...task, load: loadOnce(load) }]));

  /** The schema of the task of a config; that of all tasks if it has none of them, to say so. */
  const loadSchema = async (config: unknown) => {
    const name = memberOf(config, 'task');
    const task = typeof name === 'string' ? byName.get(name) : undefined;
    return task ? (await task.load()).schema : configSchemaOf(await loadTasks([...byName.values()]));
  };

  return {
    parse: async (text) => {
      const given = parseText(text);
      const parsed = given.success
        ? readOf(await checkValue(await loadSchema(given.data), given.data))
        : given;
      if (parsed.success) return withoutSchema(anyConfig.parse(parsed.data, SELDOM));
      throw new ModelError(`its model.json ${parsed.problem}`);
    },
    check: async (config) => {
      const parsed = await checkValue<unknown>(await loadSchema(config), config);
      if (parsed.success) return anyConfig.parse(parsed.data, SELDOM);
      throw new ModelError(`its preprocessing is not supported (${parsed.issues})`);
    },
    canHaveLabels: (name) => byName.get(name)?.hasLabels === true,
    canTake: (name, kind) => byName.get(name)?.kinds.includes(kind) ?? true,
    of: async ({ task: name }) => {
      const task = byName.get(name);
      if (!task) throw new Error(`the task ${name} is unknown`);
      return await task.load();
    },
  };
}

function withoutSchema({ $schema: _, ...config }: ModelConfig): ModelConfig {
  return config;
}
