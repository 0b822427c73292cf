import { userInfo } from 'node:os';
import { ModelError } from '../../../shared/models/model-config.ts';
import { listVersions } from '../../../shared/models/publish-files.ts';
import { ChangeError, type Known } from '../../../shared/releases/changes.ts';
import {
  type Changed,
  ConflictError,
  type Current,
  createReleaseLog,
  type ReleaseLog,
} from '../../../shared/releases/release-log.ts';
import type { Release } from '../../../shared/releases/state.ts';
import type { WritableStore } from '../../../shared/stores/model-store.ts';
import { CommandError, type Console } from '../console.ts';
import { openRepository } from '../open-repository.ts';

/** Where a change is made, and what its history says of it. */
export interface ChangeOptions {
  readonly repository: string;
  readonly by?: string;
  readonly why?: string;
}

/** A model of a repository, with its newest state. */
export interface OpenedModel {
  readonly store: WritableStore;
  readonly log: ReleaseLog;
  readonly known: Known;
  readonly current: Current;
}

/**
 * Opens a model, and repairs what an interrupted change has left.
 *
 * @param note gets what could not be repaired
 * @throws CommandError when there is no such model
 */
export async function openModel(
  repository: string,
  model: string,
  { note }: Pick<Console, 'note'>,
): Promise<OpenedModel> {
  const store = openRepository(repository);
  const log = createReleaseLog(store, { onProblem: (what, error) => note(`${what}: ${messageOf(error)}`) });
  const known = { model, versions: await listVersions(store, model) };
  const current = await log.read(model);
  if (known.versions.length === 0 && current.revision === 0)
    throw new CommandError(
      `The repository ${store.url} has no model ${JSON.stringify(model.slice(0, 100))}.`,
    );
  return { store, log, known, current };
}

/**
 * Commits a change. One that was decided for what the user has seen is refused if another was faster; the others are made
 * again from the new state.
 *
 * @throws CommandError that says what to do about a change that is refused
 */
export async function changeModel(
  { log, known }: OpenedModel,
  action: string,
  { by = nameOfUser(), why = '' }: ChangeOptions,
  make: (current: Current) => Promise<Changed> | Changed,
  expected?: number,
): Promise<Release> {
  try {
    return await log.change(known.model, { by, why, action, expected }, make);
  } catch (error) {
    if (error instanceof ChangeError || error instanceof ConflictError || error instanceof ModelError)
      throw new CommandError(error.message, 1, error);
    throw error;
  }
}

/** The name in the history, until there are keys: that of the account on this machine. */
export function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user without an entry.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
