import type { Budget } from '../budget.ts';
import { InferenceError } from '../errors.ts';
import { ModelError } from '../models/model-config.ts';
import { folderOf, type ModelListing, type ModelReference, pathOf } from '../models/model-reference.ts';
import type { ModelRepository } from '../models/model-repository.ts';
import type { Logger } from '../monitoring/logger.ts';
import type { InputKind } from '../values/input.ts';
import type { Tasks } from './tasks.ts';

export interface ModelChooserOptions {
  readonly repository: ModelRepository;
  readonly tasks: Tasks;
  readonly defaultModel: string | undefined;
  readonly logger: Logger;
}

/**
 * Chooses the model of a request that names none: the default model, or the only one that takes such input.
 *
 * @returns a function that throws an InferenceError when there is no such model or more than one
 */
export function createModelChooser(
  options: ModelChooserOptions,
): (kind: InputKind, budget?: Budget) => Promise<string> | string {
  const { repository, defaultModel, logger, tasks } = options;
  /** The input kinds of versions whose config was read, by their folders: versions do not change, but names of models do. */
  const kinds = new Map<string, InputKind>();
  /** What was chosen from a list of models. */
  const chosen = new WeakMap<readonly ModelListing[], Map<InputKind, string>>();

  /**
   * The kind of input that a model's config requires; a model without config is not assumed to take images or features.
   */
  async function kindOf(reference: ModelReference, folder: string): Promise<InputKind | undefined> {
    const known = kinds.get(folder);
    if (known !== undefined) return known;
    try {
      const config = await repository.config(reference);
      if (!config) return undefined;
      const kind = (await tasks.of(config)).kindOf(config);
      kinds.set(folder, kind);
      return kind;
    } catch (error) {
      // A failing store must not change which model answers: only a broken model.json excludes its model.
      if (!(error instanceof ModelError)) throw error;
      logger.log('warn', 'model config is not valid', { model: pathOf(reference), error });
      return undefined;
    }
  }

  /** Saves the code for the tasks of all other models, which its config would be checked with. */
  async function canTake(reference: ModelReference, kind: InputKind): Promise<boolean> {
    const task = await repository.task(reference).catch(ignoreModelError);
    return task === undefined || tasks.canTake(task, kind);
  }

  async function choose(models: readonly ModelListing[], kind: InputKind): Promise<string> {
    const [first, ...others] = models;
    if (first && others.length === 0) return first.name;
    const fitting: string[] = [];
    for (const model of models) {
      const { name, liveVersion } = model;
      const reference = { name, version: liveVersion };
      const folder = folderOf(model, liveVersion);
      if ((await canTake(reference, kind)) && (await kindOf(reference, folder)) === kind) fitting.push(name);
    }
    const [only] = fitting;
    if (only !== undefined && fitting.length === 1) {
      const known = chosen.get(models) ?? new Map<InputKind, string>();
      chosen.set(models, known.set(kind, only));
      return only;
    }
    const names = models.map(({ name }) => name).join(', ') || 'none';
    const reason =
      fitting.length === 0 ? 'no model takes such input' : `${fitting.join(' and ')} take such input`;
    throw new InferenceError(
      'BAD_REQUEST',
      `The request names no model and ${reason}. Name one by the route, such as /models/{model}/predict or /invocations?model_name={model}, or set DEFAULT_MODEL. The models are: ${names}.`,
    );
  }

  return (kind, budget) => {
    if (defaultModel !== undefined) return defaultModel;
    const known = repository.knownModels();
    if (known === undefined) return repository.list(budget).then((models) => choose(models, kind));
    return chosen.get(known)?.get(kind) ?? choose(known, kind);
  };
}

/** `config` reports it. */
function ignoreModelError(error: unknown): undefined {
  if (!(error instanceof ModelError)) throw error;
}
