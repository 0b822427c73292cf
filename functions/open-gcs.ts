import { openGcsStore } from '../shared/stores/gcs.ts';
import type { WritableStore } from '../shared/stores/model-store.ts';

/** A repository in Google Cloud Storage, with the credentials of this process. */
export function openGcs(url: string): WritableStore {
  return openGcsStore(url, { environment: process.env });
}
