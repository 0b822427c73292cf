import { join } from 'node:path';
import { app } from '@azure/functions';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { openBlob } from '../open-blob.ts';
import { loadOwnCodeOrExit } from '../own-code.ts';
import { createAzureHandler } from './handler.ts';
import { AZURE_LOG } from './log.ts';
import { parseAuthLevel } from './settings.ts';

app.http('ternion', {
  route: '{*path}',
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  authLevel: parseAuthLevel(process.env.AZURE_AUTH_LEVEL),
  handler: createAzureHandler({
    own: await loadOwnCodeOrExit(import.meta.dirname),
    environment: process.env,
    modelRepository: join(import.meta.dirname, 'models'),
    pagesFolder: join(import.meta.dirname, 'pages'),
    stores: { file: openFilesystemStore, az: openBlob },
    log: () => AZURE_LOG,
    metrics: {
      advice:
        'An instance of a function app cannot be asked for its metrics: queries over its log have them; docs/deploy-azure.md shows some.',
    },
  }),
});
