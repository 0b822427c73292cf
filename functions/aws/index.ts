import { join } from 'node:path';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { openS3Store } from '../../shared/stores/s3.ts';
import { createHostOrExit } from '../host.ts';
import { createLambdaHandler } from './handler.ts';
import { readInstanceSize } from './instance-size.ts';
import { MOST_RESULT_BYTES } from './results.ts';

const { app } = createHostOrExit({
  environment: process.env,
  modelRepository: join(import.meta.dirname, 'models'),
  pagesFolder: join(import.meta.dirname, 'pages'),
  stores: { file: openFilesystemStore, s3: openS3Store },
  ...readInstanceSize(process.env),
  answerBytes: MOST_RESULT_BYTES,
});
// Awaited here, so that models load in the init phase, when Lambda gives full CPU whatever the memory size.
await app.preload();

export const handler = createLambdaHandler(app);
