import type { Environment } from '../google/credentials.ts';
import type { GoogleToken } from '../google/token-request.ts';
import type { WritableStore } from './model-store.ts';
import { parseLocation } from './objects/location.ts';
import type { ObjectStoreOptions } from './objects/object-requests.ts';
import { openLazily } from './objects/open-lazily.ts';

export interface GcsStoreOptions extends ObjectStoreOptions {
  /** By default Google's, or STORAGE_EMULATOR_HOST, which gets no token. */
  readonly endpoint?: string | undefined;
  /** By default for the credentials of the environment, of gcloud or of this machine. */
  readonly token?: (() => Promise<GoogleToken>) | undefined;
  /** Variables that say where the credentials are. */
  readonly environment?: Environment | undefined;
}

/**
 * A model repository in a bucket of Google Cloud Storage. Names with a part that is empty or starts with a dot are not
 * part of the repository.
 *
 * @param url `gs://bucket` or `gs://bucket/prefix`; used as it is, without percent-decoding
 * @throws StoreError when the URL names no bucket
 */
export function openGcsStore(url: string, options: GcsStoreOptions = {}): WritableStore {
  const { container: bucket, ...location } = parseLocation(url, 'gs', 'bucket');
  return openLazily(location, options, async () => {
    const { createGcsProtocol } = await import('./objects/gcs-protocol.ts');
    return createGcsProtocol(bucket, options);
  });
}
