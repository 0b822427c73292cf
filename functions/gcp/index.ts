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
// An instance has its processor while it answers; whether it keeps it after that is a setting that is not seen from here.
export const ternion = createHttpFunction(host, { isFrozen: true });

receiveDirectly(ternion);
