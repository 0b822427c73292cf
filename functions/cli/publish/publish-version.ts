import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileManifest, MANIFEST_FILE } from '../../../shared/models/file-manifest.ts';
import { publishFiles } from '../../../shared/models/publish-files.ts';
import type { NewContent, WritableStore } from '../../../shared/stores/model-store.ts';
import { hashFile } from './stage-version.ts';

/** A model version that is ready to be published: a folder on this machine with its files and their manifest. */
export interface StagedVersion {
  readonly folder: string;
  readonly manifest: FileManifest;
}

/** Publishes a version from a folder of this machine, as `publishFiles` does. */
export async function publishVersion(
  store: WritableStore,
  name: string,
  version: string,
  { folder, manifest }: StagedVersion,
): Promise<string | undefined> {
  return await publishFiles(store, name, version, {
    manifest,
    claim: await describeFile(folder, MANIFEST_FILE),
    contentOf: (file) => toContent(join(folder, file.path), file),
  });
}

async function describeFile(folder: string, path: string): Promise<NewContent> {
  const file = join(folder, path);
  return toContent(file, { sizeBytes: (await stat(file)).size, sha256: await hashFile(file) });
}

function toContent(file: string, { sizeBytes, sha256 }: Omit<NewContent, 'open'>): NewContent {
  return { sizeBytes, sha256, open: () => createReadStream(file) };
}
