import { join } from 'node:path';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { checkRepository } from '../check-repository.ts';
import { collectWhenIdle } from '../collect-when-idle.ts';
import { receiveDirectly } from '../direct-requests.ts';
import { createHostOrExit } from '../host.ts';
import { createHttpFunction } from '../http-function.ts';
import { openBlob } from '../open-blob.ts';
import { openGcs } from '../open-gcs.ts';
import { openS3 } from '../open-s3.ts';
import { loadOwnCodeOrExit } from '../own-code.ts';
import { SCRAPED } from '../scraped-metrics.ts';
import { readOptions, serve } from './serve.ts';

// When run directly, as by `npm start`, this is a server. The functions framework imports it and listens on all
// addresses.
const options = import.meta.main ? readOptions() : undefined;

const host = createHostOrExit({
  own: await loadOwnCodeOrExit(import.meta.dirname),
  environment: process.env,
  modelRepository: 'models',
  pagesFolder: join(import.meta.dirname, 'pages'),
  stores: { file: openFilesystemStore, s3: openS3, gs: openGcs, az: openBlob },
  metrics: SCRAPED,
  people: options?.people,
  // The functions framework ends at a signal without a last turn.
  isFrozen: options === undefined,
});
if (options) await checkRepository(host);
await host.app.preload();

/** The entry point for the functions framework, with every store. */
export const ternion = collectWhenIdle(createHttpFunction(host));

if (options) await serve(host, ternion, options);
else receiveDirectly(ternion);
