import { join } from 'node:path';
import { requirementsOf } from '../../support/examples.ts';
import type { Counterpart } from '../counterpart.ts';

const packages = requirementsOf(['image-api']);

/** What the train.py of the image API needs: PyTorch, which brings 7 GB of CUDA with it. */
export const counterpart: Counterpart = {
  name: 'examples-image',
  pin: packages.join(', '),
  isHeavy: true,
  install: (folder) => [
    ['python3', '-m', 'venv', folder],
    [join(folder, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', ...packages],
  ],
};
