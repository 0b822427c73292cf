import { join } from 'node:path';
import type { Counterpart } from '../counterpart.ts';

const PIP = ['install', '--quiet', '--disable-pip-version-check'];

/** The scoring server of MLflow, and MLServer with its runtimes. */
export const counterpart: Counterpart = {
  name: 'answers',
  pin: 'mlflow 3.17.2, mlserver 1.7.1, scikit-learn 1.9.1, xgboost 3.2.0, lightgbm 4.7.0, catboost 1.2.10',
  install: (folder) => [
    ['python3', '-m', 'venv', folder],
    [
      join(folder, 'bin/pip'),
      ...PIP,
      'mlflow-skinny==3.17.2',
      'mlserver==1.7.1',
      'mlserver-sklearn==1.7.1',
      'scikit-learn==1.9.1',
      'pandas==3.1.1',
      'lightgbm==4.7.0',
      'skl2onnx==1.20.0',
      'onnx==1.23.2',
      'onnxruntime==1.32.0',
      'six==1.17.0',
    ],
    // Without their dependencies for GPUs and plots.
    [
      join(folder, 'bin/pip'),
      ...PIP,
      '--no-deps',
      'xgboost==3.2.0',
      'catboost==1.2.10',
      'onnxmltools==1.16.0',
      'mlserver-xgboost==1.7.1',
      'mlserver-lightgbm==1.7.1',
      'mlserver-catboost==1.7.1',
    ],
  ],
};
