import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { type ArtifactFolder, createArtifactFolder } from '../../../shared/models/artifact-folder.ts';
import { createCheckedFiles } from '../../../shared/models/checked-files.ts';
import { type Artifact, DamageError } from '../../../shared/models/file-manifest.ts';
import { decodeFile, LIMIT_BYTES } from '../../../shared/models/small-files.ts';
import { StoreError } from '../../../shared/stores/model-store.ts';
import { CommandError, type Console } from '../console.ts';
import { dataFilesOf } from '../other-graphs.ts';
import { cacheFolder } from '../temporary-folder.ts';
import { countOf, formatBytes } from '../words.ts';
import { chooseFiles } from './choose-files.ts';
import type { RemoteFile } from './remote-files.ts';
import type { OpenedSource, RemoteModel } from './remote-model.ts';

/** The same as for archives. */
const MOST_BYTES = 16 * 1024 ** 3;

/**
 * Downloads the files of a model that are needed to serve it. Files that are complete stay in the folder of downloads if
 * the command is interrupted, and the next one continues with the others.
 *
 * @throws CommandError, ModelError, StoreError
 */
export async function openRemoteModel(
  model: RemoteModel,
  file: string | undefined,
  output: Pick<Console, 'note'>,
): Promise<OpenedSource> {
  const { title, name, lineage, store, files, partBytes } = model;
  const root = cacheFolder();
  const folder = createArtifactFolder({
    root,
    store,
    download: { partBytes },
    checked: createCheckedFiles(),
  });
  const read = async (path: string) => {
    const found = files.find((each) => each.path === path);
    if (found === undefined || found.sizeBytes > LIMIT_BYTES) return undefined;
    return decodeFile(await folder.read(found), path);
  };
  const chosen = await chooseFiles({ paths: files.map(({ path }) => path), read, title }, file);
  const wanted = new Set(chosen.paths);
  const first = await provide(model, folder, wanted, output);
  const { graph } = chosen;
  // A graph with its weights in other files is small, so nothing is lost if it comes a second time.
  const named =
    graph === undefined ? [] : dataFilesOf(join(first.path, graph)).map((each) => beside(graph, each));
  const more = named.filter((path) => !wanted.has(path) && files.some((each) => each.path === path));
  if (more.length === 0) return { name, lineage, ...first };
  await first.close(true);
  return { name, lineage, ...(await provide(model, folder, new Set([...wanted, ...more]), output)) };
}

function beside(graph: string, file: string): string {
  return [...graph.split('/').slice(0, -1), file].join('/');
}

async function provide(
  { title, what, files }: RemoteModel,
  folder: ArtifactFolder,
  wanted: ReadonlySet<string>,
  output: Pick<Console, 'note'>,
): Promise<Pick<OpenedSource, 'path' | 'close'>> {
  const chosen = files.filter(({ path }) => wanted.has(path));
  const sizeBytes = chosen.reduce((sum, each) => sum + each.sizeBytes, 0);
  if (sizeBytes > MOST_BYTES)
    throw new CommandError(
      `${JSON.stringify(title)} has ${formatBytes(sizeBytes)}; the limit is ${formatBytes(MOST_BYTES)}.`,
    );
  output.note(`downloads ${countOf(chosen.length, 'file')} (${formatBytes(sizeBytes)}) of ${what}`);
  const { path, address } = await folder.provide(chosen.map(toArtifact)).catch((error: unknown) => {
    throw error instanceof DamageError ? damaged(error.file, what, 'sha256') : error;
  });
  const close = async (isDone: boolean) => {
    await folder.release(address);
    if (isDone) await folder.remove(address);
  };
  for (const file of chosen) {
    if (file.gitSha1 === undefined || (await hashAsGit(join(path, file.path), file)) === file.gitSha1)
      continue;
    await close(true);
    throw damaged(file.path, what, 'SHA-1');
  }
  return { path, close };
}

function toArtifact(source: RemoteFile): Artifact {
  return { path: source.path, sizeBytes: source.sizeBytes, sha256: source.sha256, source };
}

function damaged(file: string, what: string, hash: string): StoreError {
  return new StoreError(
    'corrupt',
    `${file} of ${what} arrived with another ${hash} than its server says, so it is not used; run the command again.`,
  );
}

/** The name that Git gives to a content. */
async function hashAsGit(path: string, { sizeBytes }: RemoteFile): Promise<string> {
  const hash = createHash('sha1').update(`blob ${sizeBytes}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
