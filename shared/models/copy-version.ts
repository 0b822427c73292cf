import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type StoredFile, StoreError, type WritableStore } from '../stores/model-store.ts';
import { contentOf } from './content-of.ts';
import {
  type Artifact,
  type FileManifest,
  MANIFEST_FILE,
  ManifestError,
  parseFileManifest,
  selectArtifacts,
} from './file-manifest.ts';
import { inOrder, isSame, publishFiles, type VersionFiles, writeOrKeep } from './publish-files.ts';

/** What became of a version in the other repository. */
export type Outcome =
  | 'copied'
  /** It was there already, with the same files. */
  | 'there'
  /** Some of its files were damaged or missing, and are those of the source again. */
  | 'mended'
  /** Another version with this name is there. */
  | 'taken';

export interface CopyOptions {
  readonly name: string;
  readonly version: string;
  /** Whether all bytes of a version that is there are compared, and mended if they are others. */
  readonly mends: boolean;
}

export interface Copied {
  readonly outcome: Outcome;
  readonly files: number;
  readonly sizeBytes: number;
}

/**
 * Copies a version to another repository: the same files with the same bytes, in the order in which servers may see
 * them. A copy that was interrupted is completed by the next one.
 *
 * @throws StoreError `corrupt` for a source that is not what its `files.json` says
 */
export async function copyVersion(
  from: WritableStore,
  to: WritableStore,
  { name, version, mends }: CopyOptions,
): Promise<Copied> {
  const prefix = `${name}/${version}`;
  const source = await readVersion(from, prefix);
  const sum = {
    files: source.manifest.files.length,
    sizeBytes: source.manifest.files.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
  };
  if ((await publishFiles(to, name, version, source)) !== undefined) return { outcome: 'copied', ...sum };
  return { outcome: await compare(to, prefix, source, mends), ...sum };
}

/** What is in place of a version that could not be published. */
async function compare(
  to: WritableStore,
  prefix: string,
  { manifest, claim, contentOf }: VersionFiles,
  mends: boolean,
): Promise<Outcome> {
  const listed = new Map((await to.list(prefix)).map((file) => [file.path.slice(prefix.length + 1), file]));
  const claimed = listed.get(MANIFEST_FILE);
  const isOurs = claimed !== undefined && (await isSame(to, claimed, claim));
  if (claimed !== undefined && !isOurs && (!mends || (await isManifest(to, prefix)))) return 'taken';
  // Without files.json, only the bytes say what it is.
  const comparesBytes = mends || claimed === undefined;
  const damaged: FileManifest['files'] = [];
  for (const file of inOrder(manifest)) {
    const found = listed.get(file.path);
    const isGood =
      found !== undefined &&
      found.sizeBytes === file.sizeBytes &&
      (!comparesBytes || (await isSame(to, found, contentOf(file))));
    if (!isGood) damaged.push(file);
  }
  if ((isOurs || claimed === undefined) && damaged.length === 0) return 'there';
  if (!mends) return 'taken';
  // A files.json that cannot be read beside files that are all others is another version.
  if (!isOurs && damaged.length === manifest.files.length) return 'taken';
  if (!isOurs) await writeOrKeep(to, `${prefix}/${MANIFEST_FILE}`, claim, claimed);
  for (const file of damaged)
    await writeOrKeep(to, `${prefix}/${file.path}`, contentOf(file), listed.get(file.path));
  return 'mended';
}

/** Whether a version has a `files.json` that can be read: then it is a version, and is never replaced by another. */
async function isManifest(store: WritableStore, prefix: string): Promise<boolean> {
  const loaded = await store.load(`${prefix}/${MANIFEST_FILE}`);
  if (loaded.is !== 'there') return false;
  try {
    await parseFileManifest(loaded.content.toString(), `${prefix}/`);
    return true;
  } catch (error) {
    if (error instanceof ManifestError) return false;
    throw error;
  }
}

/**
 * The files of a version in a store. One without `files.json` gets one.
 *
 * @param prefix its folder; '' for the whole store
 * @param check is called with the files before any is read
 * @param signal ends each reading
 */
export async function readVersion(
  store: WritableStore,
  prefix: string,
  check: (files: readonly Artifact[]) => void = () => {},
  signal?: AbortSignal,
): Promise<VersionFiles> {
  const below = prefix && `${prefix}/`;
  const listed = await store.list(prefix);
  const loaded = await store.load(`${below}${MANIFEST_FILE}`);
  const given = loaded.is === 'there' ? loaded.content : undefined;
  const manifest = given && (await parseFileManifest(given.toString(), below));
  const artifacts = selectArtifacts(listed, below, manifest);
  check(artifacts);
  const files: (FileManifest['files'][number] & { readonly source: StoredFile })[] = [];
  for (const { path, sizeBytes, sha256, source } of artifacts)
    files.push({ path, sizeBytes, sha256: sha256 ?? (await hashOf(store, source, signal)), source });
  const sources = new Map(files.map(({ path, source }) => [path, source]));
  const made = { files: files.map(({ source: _, ...file }) => file) };
  return {
    manifest: manifest ?? made,
    claim: contentOf(given ?? Buffer.from(`${JSON.stringify(made, null, 2)}\n`)),
    contentOf: (file) => {
      const source = sources.get(file.path);
      if (source === undefined) throw new StoreError('missing', `${below}${file.path} is missing.`);
      return { ...file, open: () => Readable.from(chunksOf(store, source, signal)) };
    },
  };
}

async function hashOf(store: WritableStore, file: StoredFile, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunksOf(store, file, signal)) hash.update(chunk);
  return hash.digest('hex');
}

/** Copied, because a store may use the memory of a chunk again. */
async function* chunksOf(
  store: WritableStore,
  file: StoredFile,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  for await (const chunk of await store.read(file, 0, file.sizeBytes, signal)) {
    signal?.throwIfAborted();
    yield Buffer.from(chunk);
  }
}
