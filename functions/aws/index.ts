import { join } from 'node:path';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { openS3Store } from '../../shared/stores/s3.ts';
import { createHostOrExit } from '../host.ts';
import { createLambdaHandler } from './handler.ts';

/** Lambda gives one vCPU per 1,769 MB of memory, while the machine shows two at any size up to 3 GB. */
const MEGABYTES_PER_CPU = 1769;

const memoryMegabytes = Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? MEGABYTES_PER_CPU);

const { app } = createHostOrExit({
  environment: process.env,
  modelRepository: join(import.meta.dirname, 'models'),
  pagesFolder: join(import.meta.dirname, 'pages'),
  stores: { file: openFilesystemStore, s3: openS3Store },
  cpus: memoryMegabytes / MEGABYTES_PER_CPU,
  memoryBytes: memoryMegabytes * 1024 * 1024,
});
// Awaited here, so that models load in the init phase, when Lambda gives full CPU whatever the memory size.
await app.preload();

export const handler = createLambdaHandler(app);
