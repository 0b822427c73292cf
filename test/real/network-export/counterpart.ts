import { join } from 'node:path';
import type { Counterpart } from '../counterpart.ts';

/** Frameworks for neural networks, and MLflow: several gigabytes. */
export const counterpart: Counterpart = {
  name: 'network-export',
  pin: 'torch 2.15.0, Keras 3.15.1, TensorFlow 2.21.0, transformers 4.57.6, MLflow 3.17.2',
  isHeavy: true,
  install: (folder) => [
    ['python3', '-m', 'venv', folder],
    [
      join(folder, 'bin/pip'),
      'install',
      '--quiet',
      '--disable-pip-version-check',
      'torch==2.15.0',
      'onnxscript==0.7.2',
      'onnx==1.23.2',
      'keras==3.15.1',
      'tensorflow-cpu==2.21.0',
      'tf2onnx==1.17.0',
      'transformers==4.57.6',
      'optimum-onnx==0.1.0',
      'onnxruntime==1.32.0',
      'mlflow-skinny==3.17.2',
      'skops==0.16.0',
      'scikit-learn==1.9.1',
      'skl2onnx==1.20.0',
      'pandas==3.1.1',
    ],
  ],
};
