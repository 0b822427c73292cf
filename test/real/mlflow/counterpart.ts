import { join } from 'node:path';
import type { ServerCounterpart } from '../counterpart.ts';

/** The tracking server of MLflow with its registry, in SQLite. Its installation has 0.9 GB, so it is its own. */
export const counterpart: ServerCounterpart = {
  name: 'mlflow',
  pin: 'mlflow 3.17.2, onnx 1.23.2, onnxruntime 1.32.0',
  install: (folder) => [
    ['python3', '-m', 'venv', folder],
    [
      join(folder, 'bin/pip'),
      'install',
      '--quiet',
      '--disable-pip-version-check',
      'mlflow==3.17.2',
      'onnx==1.23.2',
      'onnxruntime==1.32.0',
    ],
  ],
  start: (folder, port) => [join(folder, 'bin/python'), join(import.meta.dirname, 'serve.py'), String(port)],
  environment: { MLFLOW_DISABLE_TELEMETRY: 'true' },
};
