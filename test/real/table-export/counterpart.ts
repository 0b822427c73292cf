import { join } from 'node:path';
import type { Counterpart } from '../counterpart.ts';

/** The libraries that most tabular models are trained with, and their exporters. */
export const counterpart: Counterpart = {
  name: 'table-export',
  pin: 'scikit-learn 1.9.1, XGBoost 3.2.0, LightGBM 4.7.0, CatBoost 1.2.10, Polars 2.1.0',
  install: (folder) => [
    ['python3', '-m', 'venv', folder],
    [
      join(folder, 'bin/pip'),
      'install',
      '--quiet',
      '--disable-pip-version-check',
      'scikit-learn==1.9.1',
      'skl2onnx==1.20.0',
      'xgboost-cpu==3.2.0',
      'lightgbm==4.7.0',
      'onnxmltools==1.16.0',
      'catboost==1.2.10',
      'pandas==3.1.1',
      'numpy==2.4.6',
      'onnx==1.23.2',
      'packaging==26.4',
      'polars==2.1.0',
    ],
  ],
};
