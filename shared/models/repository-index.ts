import * as z from 'zod/mini';
import type { ModelStore, StoredFile } from '../stores/model-store.ts';
import { parseJsonFile } from './formats/format-folder.ts';
import type { VersionPolicy } from './formats/triton-config.ts';
import type { ModelListing } from './model-reference.ts';
import { joinServed, type ServedFolder, serveRelease } from './released-versions.ts';
import {
  groupByVersion,
  INDEX_FILE,
  type Listing,
  type ModelFiles,
  type Unserved,
} from './repository-listing.ts';
import { divideByPolicy } from './served-versions.ts';
import { nameSchema, servingSchema } from './serving.ts';
import { compareVersions } from './versions.ts';

const policySchema: z.ZodMiniType<VersionPolicy> = z.union([
  z.strictObject({ latest: z.strictObject({ num_versions: z.int() }) }),
  z.strictObject({ all: z.strictObject({}) }),
  z.strictObject({ specific: z.strictObject({ versions: z.array(z.int()) }) }),
]);

const entrySchema = z.looseObject({
  versions: z.array(nameSchema),
  /** What its `config.pbtxt` says about versions. */
  policy: z.optional(policySchema),
  /** Why its `config.pbtxt` cannot be understood. */
  problem: z.optional(z.string()),
  /** The number of its newest release; 0 without any. */
  revision: z.int().check(z.gte(0)),
  serving: z.optional(servingSchema),
});

/** What `index.json` says about the model in one folder. */
export type IndexEntry = z.infer<typeof entrySchema>;

/** The models of a repository by their folders. It spares instances a listing of all files. */
export type RepositoryIndex = ReadonlyMap<string, IndexEntry>;

const indexSchema = z.looseObject({ format: z.literal(1), models: z.record(nameSchema, entrySchema) });

/** @throws ModelError naming each field that is wrong */
export async function parseIndex(text: string): Promise<RepositoryIndex> {
  return new Map(Object.entries((await parseJsonFile(text, INDEX_FILE, indexSchema)).models));
}

/** The text of `index.json`, with a line for each model, so that people can compare two of them. */
export function writeIndex(index: RepositoryIndex): string {
  const lines = [...index]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([folder, entry]) => `${JSON.stringify(folder)}: ${JSON.stringify(entry)}`);
  return `{"format": 1, "models": {\n${lines.join(',\n')}\n}}\n`;
}

/** The files of models that were asked for, by folder. */
export type KnownFiles = Map<string, KnownModel>;

interface KnownModel {
  /** Versions do not change, so the files stay known as long as there are no other versions. */
  readonly versions: string;
  readonly files: Promise<ModelFiles>;
  listed: readonly StoredFile[];
}

/**
 * The listing that an index stands for. The files of a model are listed when they are first needed.
 *
 * @param known what earlier listings have listed; it is changed
 */
export function listFromIndex(
  index: RepositoryIndex,
  { store, known, atMs }: { readonly store: ModelStore; readonly known: KnownFiles; readonly atMs: number },
): Listing {
  const found: ServedFolder[] = [];
  const notes = new Map<string, string>();
  for (const [folder, entry] of index) {
    if (entry.versions.length === 0) continue;
    const versions = [...entry.versions].sort(compareVersions);
    const model = { name: folder, versions, liveVersion: versions.at(-1) ?? '' };
    const { served, known = model, note } = serveEntry(model, entry);
    found.push({ model: known, served });
    if (note !== undefined) notes.set(folder, note);
  }
  for (const folder of known.keys()) if (!index.has(folder)) known.delete(folder);

  return {
    ...joinServed({ models: new Map(), unserved: new Map() }, found),
    notes,
    filesOf: (folder) => {
      const versions = JSON.stringify(index.get(folder)?.versions);
      const found = known.get(folder);
      if (found?.versions === versions) return found.files;
      const files = store.list(folder).then((listed) => {
        made.listed = listed;
        return groupByVersion(listed);
      });
      const made: KnownModel = { versions, files, listed: [] };
      known.set(folder, made);
      files.catch(() => {
        if (known.get(folder) === made) known.delete(folder);
      });
      return files;
    },
    knownFiles: () => [...known.values()].flatMap(({ listed }) => listed),
    revisions: new Map(),
    ignored: [],
    passedOver: new Map(),
    atMs,
    isIndexed: true,
  };
}

interface ServedEntry {
  readonly served: ModelListing | Unserved;
  /** The model as far as it is known, if it cannot be determined which versions to serve. */
  readonly known?: ModelListing;
  readonly note?: string | undefined;
}

function serveEntry(model: ModelListing, { policy, problem, serving }: IndexEntry): ServedEntry {
  if (problem !== undefined)
    return { served: { by: 'unknown', reason: problem, cause: undefined }, note: problem };
  const { served, note } = policy ? divideByPolicy(model, policy) : { served: model, note: undefined };
  if (!('versions' in served) || serving === undefined) return { served, note };
  return { served: serveRelease(served, serving), known: served, note };
}
