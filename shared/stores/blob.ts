import type { Environment } from '../azure/storage-account.ts';
import type { TokenSource } from '../azure/tokens.ts';
import type { WritableStore } from './model-store.ts';
import { locate, locationError } from './objects/location.ts';
import type { ObjectStoreOptions } from './objects/object-requests.ts';
import { openLazily } from './objects/open-lazily.ts';

export interface BlobStoreOptions extends ObjectStoreOptions {
  readonly environment: Environment;
  /** Is asked for a token if the environment has no credentials and there is no managed identity. */
  readonly otherwise?: TokenSource | undefined;
}

/**
 * A model repository in a container of Azure Blob Storage. Names with a part that is empty or starts with a dot are not
 * part of the repository.
 *
 * @param url `az://container/prefix` in the account of the environment, or
 * `az://account.blob.core.windows.net/container/prefix`; used as it is, without percent-decoding
 * @throws StoreError when the URL names no container
 */
export function openBlobStore(url: string, options: BlobStoreOptions): WritableStore {
  // Names of containers have no dots.
  const [, server, container, path] = /^az:\/\/(?:([^/]+\.[^/]+)\/+)?([^/.]+)(?:\/(.*))?$/s.exec(url) ?? [];
  if (container === undefined) throw locationError(url, 'container', 'az://container/prefix');
  const location = locate(`az://${server === undefined ? '' : `${server}/`}${container}/`, path);
  return openLazily(location, options, async () => {
    const { connectToBlobs } = await import('./objects/blob-protocol.ts');
    const { environment, otherwise } = options;
    return connectToBlobs({ url: location.url, server, container, environment, otherwise });
  });
}
