import { join } from 'node:path';
import type { Counterpart } from '../counterpart.ts';

/** A fuzzer that makes requests from an OpenAPI description, and checks the answers against it. */
export const counterpart: Counterpart = {
  name: 'schemathesis',
  pin: 'schemathesis 4.32.5',
  install: (folder) => [
    ['python3', '-m', 'venv', folder],
    [
      join(folder, 'bin/pip'),
      'install',
      '--quiet',
      '--disable-pip-version-check',
      'schemathesis==4.32.5',
      'hypothesis==6.170.17',
    ],
  ],
};
