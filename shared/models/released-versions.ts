import * as z from 'zod/mini';
import { createLimiter } from '../limiter.ts';
import { type StoredFile, StoreError } from '../stores/model-store.ts';
import { parseJsonFile } from './formats/format-folder.ts';
import { ModelError } from './model-config.ts';
import type { ModelListing } from './model-reference.ts';
import type { Listing, Unserved } from './repository-listing.ts';
import { type Serving, servingSchema } from './serving.ts';

const releasedSchema = z.looseObject({ serving: servingSchema });

/**
 * What a file of a release says about the versions that are served.
 *
 * @throws ModelError naming each field that is wrong
 */
export async function parseServing(text: string): Promise<Serving> {
  return (await parseJsonFile(text, 'newest release', releasedSchema)).serving;
}

/**
 * The versions of a model that its newest release serves, and its name. A release that names a live version which is not
 * there must not make another one live.
 *
 * @param model with the name of its folder
 */
export function serveRelease(model: ModelListing, serving: Serving): ModelListing | Unserved {
  const versions = model.versions.filter((version) => !serving.archived.includes(version));
  const liveVersion = serving.live ?? versions.at(-1);
  if (liveVersion === undefined) return { by: 'release', reason: 'all of its versions are archived' };
  if (!versions.includes(liveVersion)) {
    const reason = `its version ${liveVersion} is live, and is not among those that can be served: ${versions.join(', ') || 'none'}`;
    return { by: 'unknown', reason, cause: undefined };
  }
  const { name = model.name } = serving;
  const folder = name === model.name ? undefined : model.name;
  return { ...model, name, folder, versions, liveVersion, serving };
}

/** Files that are read at the same time. */
const READS = 16;

/**
 * Replaces the live version of each model that has releases by that of the newest one. A file that cannot be understood
 * affects only its own model. If it cannot be fetched, the release of the previous listing stays in force.
 *
 * @param read what a file of a release says
 */
export async function applyReleases(
  listing: Listing,
  before: Listing | undefined,
  read: (file: StoredFile) => Promise<Serving>,
): Promise<Listing> {
  const notes = new Map(listing.notes);
  const limit = createLimiter(READS);

  async function look(model: ModelListing, file: StoredFile): Promise<ModelListing | Unserved> {
    try {
      return serveRelease(model, await read(file));
    } catch (error) {
      const isStore = error instanceof StoreError;
      if (!isStore && !(error instanceof ModelError)) throw error;
      const known =
        before && [...before.models.values()].find((each) => (each.folder ?? each.name) === model.name);
      const reason = isStore ? `${file.path} cannot be read from the model repository` : error.message;
      notes.set(model.name, reason);
      if (isStore && known?.serving) return serveRelease(model, known.serving);
      return { by: 'unknown', reason, cause: error };
    }
  }

  const found = await Promise.all(
    [...listing.revisions].flatMap(([name, file]) => {
      const model = listing.models.get(name);
      return model ? [limit(async () => ({ model, served: await look(model, file) }))] : [];
    }),
  );
  for (const { model, served } of found) {
    if (!('versions' in served)) notes.set(model.name, served.reason);
  }
  return { ...listing, ...joinServed(listing, found), notes };
}

/** What is served of the model in a folder. */
export interface ServedFolder {
  /** With the name of its folder. */
  readonly model: ModelListing;
  readonly served: ModelListing | Unserved;
}

/** The models by their names. The name of a folder can belong to the model of another folder by now. */
export function joinServed(
  listing: Pick<Listing, 'models' | 'unserved'>,
  found: readonly ServedFolder[],
): Pick<Listing, 'models' | 'unserved'> {
  const models = new Map(listing.models);
  const unserved = new Map(listing.unserved);
  for (const { model, served } of found) {
    models.delete(model.name);
    if ('versions' in served) continue;
    unserved.set(model.name, served);
    if (served.by === 'unknown') models.set(model.name, model);
  }
  for (const { served } of found) {
    if (!('versions' in served)) continue;
    models.set(served.name, served);
    unserved.delete(served.name);
  }
  return { models: sortByName(models), unserved };
}

/** A model that was given another name has another place in the list. */
function sortByName(models: ReadonlyMap<string, ModelListing>): ReadonlyMap<string, ModelListing> {
  return new Map([...models].sort(([a], [b]) => (a < b ? -1 : 1)));
}
