import { join } from 'node:path';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { openGcsStore } from '../../shared/stores/gcs.ts';
import type { ModelStore } from '../../shared/stores/model-store.ts';
import { createHostOrExit, type Host } from '../host.ts';
import { createHttpFunction, type HttpFunction } from '../http-function.ts';
import type { HostMetrics } from '../open-monitoring.ts';
import { loadOwnCodeOrExit } from '../own-code.ts';
import { createGoogleLog } from './log.ts';

/**
 * The host on Google Cloud, with models that can be loaded, and its function.
 *
 * @param metrics where its metrics are
 */
export async function openHost(
  folder: string,
  metrics: HostMetrics,
): Promise<{ readonly host: Host; readonly answer: HttpFunction }> {
  const host = createHostOrExit({
    own: await loadOwnCodeOrExit(folder),
    environment: process.env,
    modelRepository: join(folder, 'models'),
    pagesFolder: join(folder, 'pages'),
    stores: { file: openFilesystemStore, gs: openBucket },
    log: createGoogleLog,
    metrics,
  });
  await host.app.preload();
  // An instance has CPU while it answers. Whether it has CPU after that depends on a setting that is not visible here.
  return { host, answer: createHttpFunction(host, { isFrozen: true }) };
}

/** A repository that the service account of the function or service may read. */
function openBucket(url: string): ModelStore {
  const { env } = process;
  return openGcsStore(url, {
    environment: env,
    token: async (scope) => {
      const { findMachineToken } = await import('../../shared/google/metadata.ts');
      return await findMachineToken(env, scope);
    },
  });
}
