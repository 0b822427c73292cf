import { join } from 'node:path';
import type { ServerCounterpart } from '../counterpart.ts';
import { npmInstall } from '../npm-install.ts';

/** Microsoft's own emulator of Azure Blob Storage. It needs Node 22. */
export const counterpart: ServerCounterpart = {
  name: 'azurite',
  pin: 'azurite 3.37.0',
  install: (folder) => [npmInstall(folder, 'azurite@3.37.0')],
  start: (folder, port) => [
    process.execPath,
    join(folder, 'node_modules/azurite/dist/src/blob/main.js'),
    '--blobPort',
    String(port),
    ...['--inMemoryPersistence', '--silent', '--skipApiVersionCheck', '--disableTelemetry'],
  ],
};
