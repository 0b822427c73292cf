import { basename, dirname, join } from 'node:path';
import * as z from 'zod/mini';
import type { Lineage } from '../../../shared/models/lineage.ts';
import { foldersUp, type ModelPlace, readIfThere, withoutSecrets } from './place.ts';

const METADATA_FILE = 'wandb-metadata.json';

const metadataSchema = z.looseObject({
  git: z.nullish(z.looseObject({ remote: z.nullish(z.string()), commit: z.nullish(z.string()) })),
});

/**
 * The artifact and the run of Weights & Biases, by the names of the folders that its library makes: a downloaded artifact
 * is in `artifacts/<name>:v3`, the files of a run are in `wandb/run-<time>-<id>/files`, where `wandb-metadata.json` has
 * the commit of the code.
 *
 * Source: `Artifact.download` and `wandb.Settings` of wandb 0.22.
 */
export async function findWandb({ folder, path }: ModelPlace): Promise<Lineage> {
  const names = foldersUp(path).map((each) => ({ name: basename(each), parent: basename(dirname(each)) }));
  // Windows allows no colon in a name.
  const artifact = names
    .filter(({ parent }) => parent === 'artifacts')
    .flatMap(({ name }) => /^([\w.-]+)[:-](v\d+)$/.exec(name) ?? [])
    .slice(1, 3)
    .join(':');
  const run = names.flatMap(({ name }) => /^(?:offline-)?run-\d{8}_\d{6}-(\w+)$/.exec(name)?.[1] ?? [])[0];
  const text = await readIfThere(join(folder, METADATA_FILE));
  const git = text === undefined ? undefined : readGit(text, join(folder, METADATA_FILE));
  const remote = withoutSecrets(git?.remote ?? '');
  const wandb = {
    ...(artifact !== '' && { artifact }),
    ...(run !== undefined && { run }),
    ...(git?.commit && { commit: git.commit }),
    ...(remote !== undefined && { remote }),
  };
  return Object.keys(wandb).length === 0 ? {} : { wandb };
}

function readGit(text: string, path: string): z.infer<typeof metadataSchema>['git'] {
  try {
    return metadataSchema.parse(JSON.parse(text)).git;
  } catch {
    throw new Error(`${path} is not what wandb writes`);
  }
}
