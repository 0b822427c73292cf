import { join } from 'node:path';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { openS3Store } from '../../shared/stores/s3.ts';
import { createHostOrExit } from '../host.ts';
import { loadOwnCodeOrExit } from '../own-code.ts';
import { type Extension, NO_EXTENSION, registerExtension } from './extension.ts';
import { createLambdaHandler } from './handler.ts';
import { readInstanceSize } from './instance-size.ts';
import { createLambdaLog } from './log.ts';
import { MOST_RESULT_BYTES } from './results.ts';

const host = createHostOrExit({
  own: await loadOwnCodeOrExit(import.meta.dirname),
  environment: process.env,
  modelRepository: join(import.meta.dirname, 'models'),
  pagesFolder: join(import.meta.dirname, 'pages'),
  stores: {
    file: openFilesystemStore,
    s3: (url) => openS3Store(url, { environment: process.env }),
  },
  ...readInstanceSize(process.env),
  answerBytes: MOST_RESULT_BYTES,
  log: createLambdaLog,
  metrics: {
    advice:
      'An instance of a function cannot be asked for its metrics: CloudWatch has them in the namespace Ternion (EMF_METRICS).',
  },
});
// Awaited here, so that models load in the init phase, in which Lambda gives full CPU at any memory size.
const [extension] = await Promise.all([openExtension(), host.app.preload()]);

export const handler = createLambdaHandler(host, extension);

/**
 * Environments that handle several requests at a time are not frozen between them, and do not allow such extensions.
 */
async function openExtension(): Promise<Extension> {
  const { AWS_LAMBDA_RUNTIME_API: api, AWS_LAMBDA_MAX_CONCURRENCY: concurrency } = process.env;
  if (api === undefined || concurrency !== undefined) return NO_EXTENSION;
  return await registerExtension(api, (error) =>
    host.logger.log('warn', 'the Lambda extension is not available', { error }),
  );
}
