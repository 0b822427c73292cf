import { join } from 'node:path';
import type { Counterpart } from '../counterpart.ts';

/** The feature server of Feast, with its online store in SQLite. */
export const counterpart: Counterpart = {
  name: 'feast',
  pin: 'feast 0.67.0',
  install: (folder) => [
    ['python3', '-m', 'venv', folder],
    [join(folder, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', 'feast==0.67.0'],
  ],
};
