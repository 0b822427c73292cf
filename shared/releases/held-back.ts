import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';
import { checkTextOf } from '../json/check-json.ts';
import { createLimiter } from '../limiter.ts';
import { contentOf } from '../models/content-of.ts';
import { RELEASES_FOLDER, releasePath, revisionOf } from '../models/repository-listing.ts';
import { nameSchema, type Serving } from '../models/serving.ts';
import { compareVersions } from '../models/versions.ts';
import { type StoredFile, StoreError, type WritableStore } from '../stores/model-store.ts';
import { releaseSchema } from './state.ts';

/** A version that a release lets requests get, and that an instance could not load. */
const heldBackSchema = z.looseObject({
  /** The change that made the state in force. */
  revision: z.int().check(z.gte(1)),
  version: nameSchema,
  /** By the clock of the store. */
  at: z.iso.datetime(),
  /** Completes a sentence: the version cannot be loaded, because … It has no inputs and no paths of the server. */
  reason: z.string(),
  /** The first instance that has noted it, as its lines in the log name it. */
  instance: z.string(),
});

export type HeldBack = z.infer<typeof heldBackSchema>;

/** What an instance knows of a version that it could not load. */
export interface FailedVersion extends Pick<HeldBack, 'version' | 'reason' | 'instance'> {
  /** The folder of the model. */
  readonly folder: string;
  /** The state that the instance follows. */
  readonly serving: Serving;
}

/** Files that are read at the same time. */
const READS = 16;

/** Beside the changes, which all are files directly in the folder of the model. */
function folderFor(folder: string): string {
  return `${RELEASES_FOLDER}/${folder}/held-back`;
}

/**
 * Notes that a version could not be loaded: in one file for each revision and version, so the first instance has its say.
 * Nothing is noted of a model without releases.
 *
 * @throws StoreError
 */
export async function noteHeldBack(
  store: WritableStore,
  { folder, serving, version, reason, instance }: FailedVersion,
): Promise<void> {
  const files = await store.list(`${RELEASES_FOLDER}/${folder}`);
  const found = await findRevision(store, folder, files, serving);
  if (!found) return;
  const { revision, storeMs } = found;
  const path = `${folderFor(folder)}/${revision}-${version}.json`;
  if (files.some((file) => file.path === path)) return;
  const note: HeldBack = { revision, version, at: new Date(storeMs).toISOString(), reason, instance };
  const bytes = Buffer.from(`${JSON.stringify(note, null, 2)}\n`);
  try {
    await store.write(path, contentOf(bytes));
  } catch (error) {
    // Another instance was faster.
    if (!(error instanceof StoreError) || error.reason !== 'changed') throw error;
  }
}

/** The change that made a state: later ones can have changed only what people know about the model. */
async function findRevision(
  store: WritableStore,
  folder: string,
  files: readonly StoredFile[],
  serving: Serving,
) {
  const revisions = files.flatMap(({ path }) => revisionOf(path)?.revision ?? []).sort((a, b) => b - a);
  let found: { readonly revision: number; readonly storeMs: number } | undefined;
  for (const revision of revisions) {
    const loaded = await store.load(releasePath(folder, revision));
    const parsed =
      loaded.is === 'there' ? await checkTextOf(releaseSchema, loaded.content.toString()) : undefined;
    const isSame = parsed?.success === true && isDeepStrictEqual(parsed.data.serving, serving);
    if (isSame) found = { revision, storeMs: loaded.storeMs };
    else if (found) break;
  }
  return found;
}

/**
 * All that instances have noted of a model, by revision and version. A file that cannot be understood is left out.
 *
 * @throws StoreError
 */
export async function readHeldBack(store: WritableStore, folder: string): Promise<readonly HeldBack[]> {
  const limit = createLimiter(READS);
  const files = await store.list(folderFor(folder)).catch((error: unknown): StoredFile[] => {
    if (error instanceof StoreError && error.reason === 'missing') return [];
    throw error;
  });
  const found = await Promise.all(
    files.map(({ path }) =>
      limit(async () => {
        const loaded = await store.load(path);
        if (loaded.is !== 'there') return [];
        const parsed = await checkTextOf(heldBackSchema, loaded.content.toString());
        return parsed.success ? parsed.data : [];
      }),
    ),
  );
  return found.flat().sort((a, b) => a.revision - b.revision || compareVersions(a.version, b.version));
}
