import { join } from 'node:path';
import type { ServerCounterpart } from '../counterpart.ts';
import { withGo } from '../go.ts';

/**
 * Cloud Storage as Go has it. It takes any token. It checks the conditions of writes and the MD5 of what is written; it
 * ignores the conditions of reads and removals, and does not say whether a bucket or an object is missing.
 */
export const counterpart: ServerCounterpart = {
  name: 'fake-gcs-server',
  pin: 'fake-gcs-server 1.56.1',
  install: (folder) => withGo(folder, 'install', 'github.com/fsouza/fake-gcs-server@v1.56.1'),
  start: (folder, port) => [
    join(folder, 'fake-gcs-server'),
    ...['-backend', 'memory', '-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)],
    ...['-public-host', `127.0.0.1:${port}`, '-external-url', `http://127.0.0.1:${port}`],
  ],
};
