import { join } from 'node:path';
import type { Counterpart } from '../../real/counterpart.ts';

/** An environment of Python with exactly these packages. */
function pythonWith(name: string, packages: readonly string[]): Counterpart {
  return {
    name,
    pin: packages.join(', '),
    install: (folder) => [
      ['python3', '-m', 'venv', folder],
      [join(folder, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', ...packages],
    ],
  };
}

const SCIKIT_LEARN = 'scikit-learn==1.9.1';

export const WEB_SERVERS = pythonWith('bench-web-servers', [
  'flask==3.1.3',
  'fastapi==0.165.0',
  'uvicorn[standard]==0.54.0',
  'onnxruntime==1.32.0',
  'numpy==2.4.6',
  SCIKIT_LEARN,
]);

/** Apart from the others, because it needs an older FastAPI. */
export const MLSERVER = pythonWith('bench-mlserver', [
  'mlserver==1.7.1',
  'mlserver-sklearn==1.7.1',
  'six==1.17.0',
  SCIKIT_LEARN,
]);
