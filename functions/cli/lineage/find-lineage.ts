import { join } from 'node:path';
import { checkValue } from '../../../shared/json/check-json.ts';
import { LINEAGE_FILE, type Lineage, lineageSchema, parseLineage } from '../../../shared/models/lineage.ts';
import { findDvc } from './dvc.ts';
import { findGit } from './git.ts';
import { findHuggingFace } from './hugging-face.ts';
import { findMlflow } from './mlflow.ts';
import { type Finder, type ModelPlace, placeOf, readIfThere } from './place.ts';
import { findWandb } from './wandb.ts';

/** Where a model comes from, and what could not be read on the way. */
export interface FoundLineage {
  readonly lineage: Lineage;
  /** Without a full stop. */
  readonly problems: readonly string[];
}

/** Nothing is known, or nobody wants to know. */
export const NO_LINEAGE: FoundLineage = { lineage: {}, problems: [] };

/**
 * Finds out where a model on this machine comes from, by the files in it and around it. A version that `ternion add` has
 * published keeps its lineage. What cannot be read is a problem, and not an error.
 *
 * @param path of the file or folder that the user named
 */
export async function findLineage(path: string): Promise<FoundLineage> {
  const place = await placeOf(path);
  const published = await run(readPublished, place);
  if (Object.keys(published.lineage).length > 0) return published;
  const finders = [findGit, findDvc, findMlflow, findWandb, findHuggingFace];
  return joinLineage([published, ...(await Promise.all(finders.map((find) => run(find, place))))]);
}

/** The same for a folder that was downloaded: what is around it has nothing to do with it. */
export async function findLineageIn(folder: string): Promise<FoundLineage> {
  return await run(findMlflow, { path: folder, folder, root: undefined });
}

async function readPublished({ path, folder }: ModelPlace): Promise<Lineage> {
  const text = path === folder ? await readIfThere(join(folder, LINEAGE_FILE)) : undefined;
  return text === undefined ? {} : await parseLineage(text);
}

async function run(find: Finder, place: ModelPlace): Promise<FoundLineage> {
  try {
    const checked = await checkValue(lineageSchema, await find(place));
    if (checked.success) return { lineage: checked.data, problems: [] };
    return { lineage: {}, problems: [checked.issues] };
  } catch (error) {
    return { lineage: {}, problems: [error instanceof Error ? error.message : String(error)] };
  }
}

/** Joins what was found in several places. Of two values of one member, the later one counts. */
export function joinLineage(found: readonly FoundLineage[]): FoundLineage {
  let lineage: Lineage = {};
  for (const { lineage: each } of found) {
    const mlflow = { ...lineage.mlflow, ...each.mlflow };
    lineage = { ...lineage, ...each, ...(Object.keys(mlflow).length > 0 && { mlflow }) };
  }
  return { lineage, problems: found.flatMap(({ problems }) => problems) };
}
