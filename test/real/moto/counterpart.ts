import { join } from 'node:path';
import type { ServerCounterpart } from '../counterpart.ts';

/**
 * S3 as Python has it. It takes any credentials, accepts wrong checksums and ignores the preconditions of copies; the
 * preconditions of reads and writes are kept.
 */
export const counterpart: ServerCounterpart = {
  name: 'moto',
  pin: 'moto 5.2.5',
  install: (folder) => [
    ['python3', '-m', 'venv', folder],
    [join(folder, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', 'moto[s3,server]==5.2.5'],
  ],
  start: (folder, port) => [join(folder, 'bin/moto_server'), '-H', '127.0.0.1', '-p', String(port)],
};
