import type { FileManifest } from '../../../shared/models/file-manifest.ts';
import { CommandError } from '../console.ts';
import { openFolderTarget } from './folder-target.ts';
import { openS3Target } from './s3-target.ts';

/** A model version as it is published: a folder on this machine with its files. */
export interface StagedVersion {
  readonly folder: string;
  readonly manifest: FileManifest;
}

/** A repository that models are published in. */
export interface Target {
  /** Names of the versions of a model that servers see; not of those that are being written, or were broken off. */
  versions(name: string): Promise<readonly string[]>;
  /** Where a version is made ready: a new folder that ends with `<version>`. */
  stage(name: string, version: string): Promise<string>;
  /**
   * Makes a version visible, all of it at once.
   *
   * @returns where it is; undefined when there is something else in its place
   */
  publish(name: string, version: string, staged: StagedVersion): Promise<string | undefined>;
}

/** @throws CommandError for a repository that cannot be written to */
export function openTarget(repository: string): Target {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(repository)?.[1]?.toLowerCase();
  if (scheme === undefined || scheme === 'file') return openFolderTarget(repository);
  if (scheme === 's3') return openS3Target(repository);
  throw new CommandError(`--repository ${JSON.stringify(repository)} must be a folder or an s3:// URL.`, 2);
}
