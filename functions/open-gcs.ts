import { openGcsStore } from '../shared/stores/gcs.ts';
import type { WritableStore } from '../shared/stores/model-store.ts';

/** A repository in Google Cloud Storage, on a machine that may have credentials in a file. */
export function openGcs(url: string): WritableStore {
  const { env } = process;
  return openGcsStore(url, {
    environment: env,
    token: async (scope) => {
      const { findGoogleToken } = await import('../shared/google/credentials.ts');
      return await findGoogleToken(env, scope);
    },
  });
}
