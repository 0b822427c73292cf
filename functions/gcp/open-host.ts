import { join } from 'node:path';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { createHostOrExit, type Host } from '../host.ts';
import { createHttpFunction, type HttpFunction } from '../http-function.ts';
import { openGcs } from '../open-gcs.ts';
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
    stores: { file: openFilesystemStore, gs: openGcs },
    log: createGoogleLog,
    metrics,
  });
  await host.app.preload();
  // An instance has CPU while it answers. Whether it has CPU after that depends on a setting that is not visible here.
  return { host, answer: createHttpFunction(host, { isFrozen: true }) };
}
