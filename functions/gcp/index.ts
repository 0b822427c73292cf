import { join } from 'node:path';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { receiveDirectly } from '../direct-requests.ts';
import { createHostOrExit } from '../host.ts';
import { createHttpFunction } from '../http-function.ts';

const host = createHostOrExit({
  environment: process.env,
  modelRepository: join(import.meta.dirname, 'models'),
  pagesFolder: join(import.meta.dirname, 'pages'),
  stores: { file: openFilesystemStore },
});
await host.app.preload();

/** The function's entry point: deploy with `--function ternion`. */
// An instance has CPU while it answers. Whether it has CPU after that depends on a setting that is not visible here.
export const ternion = createHttpFunction(host, { isFrozen: true });

receiveDirectly(ternion);
