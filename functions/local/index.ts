import { join } from 'node:path';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { openS3Store } from '../../shared/stores/s3.ts';
import { receiveDirectly } from '../gcp/direct-requests.ts';
import { createHttpFunction } from '../gcp/http-function.ts';
import { createHostOrExit } from '../host.ts';

const host = createHostOrExit({
  environment: process.env,
  modelRepository: 'models',
  pagesFolder: join(import.meta.dirname, 'pages'),
  stores: { file: openFilesystemStore, s3: openS3Store },
});
await host.app.preload();

/** The Cloud Functions entry with every store, for `npm start`. */
export const ternion = createHttpFunction(host);

receiveDirectly(ternion);
