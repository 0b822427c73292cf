import { ConfigError } from '../../shared/config.ts';
import { openBlobStore } from '../../shared/stores/blob.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import type { WritableStore } from '../../shared/stores/model-store.ts';
import { openStore } from '../../shared/stores/open-store.ts';
import { openGcs } from '../open-gcs.ts';
import { openS3 } from '../open-s3.ts';
import { CommandError } from './console.ts';

/** The stores of the command, by URL scheme. */
export const STORES = { file: openFilesystemStore, s3: openS3, gs: openGcs, az: openBlob };

/** An empty MODEL_REPOSITORY counts as unset. */
const DEFAULT_REPOSITORY = 'models';

/**
 * The store that `--repository` names, to read or change its files.
 *
 * @throws CommandError for a repository of another kind
 */
export function openRepository(repository: string): WritableStore {
  try {
    return openStore(repository || DEFAULT_REPOSITORY, STORES);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // A setting of S3 is wrong.
    if (/^s3:/i.test(repository)) throw new CommandError(error.message, 2, error);
    const schemes = Object.keys(STORES).flatMap((name) => (name === 'file' ? [] : [`${name}://`]));
    throw new CommandError(
      `--repository ${JSON.stringify(repository)} must be a folder, or a URL that begins with ${schemes.join(' or ')}.`,
      2,
    );
  }
}

/** A person who has signed in with the Azure CLI needs no other credentials. */
function openBlob(url: string): WritableStore {
  const otherwise = async () => await (await import('./azure-cli-token.ts')).askAzureCli();
  return openBlobStore(url, { environment: process.env, otherwise });
}
