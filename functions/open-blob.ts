import { openBlobStore } from '../shared/stores/blob.ts';
import type { WritableStore } from '../shared/stores/model-store.ts';

/** A repository in Azure Blob Storage, with the account and the credentials of the environment. */
export function openBlob(url: string): WritableStore {
  return openBlobStore(url, { environment: process.env });
}
