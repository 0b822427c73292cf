import { InferenceError, invalid } from '../errors.ts';
import type { Logger } from '../monitoring/logger.ts';
import { ChangeError } from '../releases/changes.ts';
import { ConflictError, type ReleaseLog } from '../releases/release-log.ts';
import type { Release } from '../releases/state.ts';
import type { WritableStore } from '../stores/model-store.ts';
import {
  type Changing,
  createRegisteredModels,
  isRegistered,
  type RegisteredModel,
  type RegisteredModels,
} from './registered.ts';

/** What the registry works with. */
export interface RegistryParts {
  /** The repository itself, not a mirror of it. */
  readonly store: WritableStore;
  readonly log: ReleaseLog;
  /** URLs below which models may be copied from, beside the repository. */
  readonly sources: readonly string[];
  /**
   * Opens the store of one of them.
   * @throws ConfigError for a scheme that this host cannot read
   */
  readonly open: (url: string) => WritableStore;
  /** Is called when versions, or what is served, have changed. */
  readonly onChange: () => Promise<void>;
  readonly logger: Logger;
  /** The name of this instance in its log. */
  readonly instance: string;
}

/** The person or program that asks for a change, and how long it may take. */
export interface Caller {
  readonly by: string;
  /** What the history says of the change; by default nothing. */
  readonly why?: string | undefined;
  /** The newest revision that the caller knows; undefined: a change that fits any. */
  readonly expected?: number | undefined;
  readonly workMs: number;
}

/** The registry, for the calls of its clients. */
export interface Registry extends RegistryParts {
  readonly models: RegisteredModels;
  /**
   * Changes a model that is registered.
   *
   * @param make is called again if somebody else was faster, unless the caller expects a revision
   * @throws InferenceError, among them RESOURCE_CONFLICT if the newest revision is not the expected one; StoreError
   */
  change(
    model: Pick<RegisteredModel, 'folder' | 'name'>,
    caller: Caller,
    action: string,
    make: Changing,
  ): Promise<RegisteredModel>;
  /** The same for a model that may not be registered yet. */
  changeFolder(folder: string, caller: Caller, action: string, make: Changing): Promise<RegisteredModel>;
}

export function createRegistry(parts: RegistryParts): Registry {
  const models = createRegisteredModels(parts.store, parts.log);

  async function changeFolder(
    folder: string,
    { by, why = '', expected }: Omit<Caller, 'workMs'>,
    action: string,
    make: Changing,
  ): Promise<RegisteredModel> {
    const release = await parts.log
      .change(folder, { by, why, action, expected }, async (current) => {
        const changed = await make(await models.describe(folder, current));
        if (changed.card) checkSize(JSON.stringify(changed.card).length);
        return changed;
      })
      .catch((error: unknown) => {
        if (error instanceof ChangeError)
          throw new InferenceError('BAD_REQUEST', error.message, { cause: error });
        throw error instanceof ConflictError ? conflict(error) : error;
      });
    // The change counts: a client that got an error would make it again.
    await parts.onChange().catch((error: unknown) => {
      parts.logger.log('warn', 'a change is committed, but this instance could not list the repository', {
        model: folder,
        error,
      });
    });
    return await models.describe(folder, currentOf(release));
  }

  return {
    ...parts,
    models,
    changeFolder,
    change: async ({ folder, name }, caller, action, make) =>
      await changeFolder(folder, caller, action, (model) => {
        // It may have been deleted or renamed since it was looked up.
        if (isRegistered(model) && model.name === name) return make(model);
        throw new InferenceError(
          'RESOURCE_DOES_NOT_EXIST',
          `There is no registered model ${JSON.stringify(name)} any more.`,
        );
      }),
  };
}

function currentOf(release: Release) {
  const { revision, serving, card } = release;
  return { revision, serving, card, release };
}

function conflict(error: ConflictError): InferenceError {
  return new InferenceError('RESOURCE_CONFLICT', error.message, { cause: error });
}

/** Each release has all that is known about a model. */
const MOST_CARD_CHARACTERS = 1_000_000;

function checkSize(characters: number): void {
  if (characters > MOST_CARD_CHARACTERS)
    throw invalid(
      `The descriptions and tags of a model would have ${characters} characters together; the limit is ${MOST_CARD_CHARACTERS}.`,
    );
}
