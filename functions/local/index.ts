import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { openS3Store } from '../../shared/stores/s3.ts';
import { createHttpFunction } from '../gcp/http-function.ts';
import { bypassFramework } from '../gcp/raw-request.ts';
import { createHost } from '../host.ts';

const host = createHost({
  environment: process.env,
  modelRepository: 'models',
  stores: { file: openFilesystemStore, s3: openS3Store },
});
bypassFramework();
await host.app.preload();

/** The Cloud Functions entry with every store, for `npm start`. */
export const ternion = createHttpFunction(host);
