import { join } from 'node:path';
import { requirementsOf } from '../../support/examples.ts';
import type { Counterpart } from '../counterpart.ts';

/** The examples whose train.py needs no PyTorch. */
export const TRAINED = ['forecast', 'platform', 'recommender'];

const packages = requirementsOf(TRAINED);

/** The packages that those train.py need. */
export const counterpart: Counterpart = {
  name: 'examples',
  pin: packages.join(', '),
  install: (folder) => [
    ['python3', '-m', 'venv', folder],
    [join(folder, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', ...packages],
  ],
};
