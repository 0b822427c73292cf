import type { Environment, GoogleToken } from '../google/token-request.ts';
import type { WritableStore } from './model-store.ts';
import { parseLocation } from './objects/location.ts';
import type { ObjectStoreOptions } from './objects/object-requests.ts';
import { openLazily } from './objects/open-lazily.ts';

export interface GcsStoreOptions extends ObjectStoreOptions {
  /** By default Google's, or STORAGE_EMULATOR_HOST, which gets no token. */
  readonly endpoint?: string | undefined;
  /** Gives a token for the URL of what it should allow. Without it, only what everybody may read is read. */
  readonly token?: ((scope: string) => Promise<GoogleToken>) | undefined;
  /** Its STORAGE_EMULATOR_HOST is used. */
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
