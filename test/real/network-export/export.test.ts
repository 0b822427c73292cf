import { describeExports, describeWalks } from '../describe-exports.ts';
import { counterpart } from './counterpart.ts';

describeExports(
  counterpart,
  ['networks.py', 'keras_networks.py'],
  [
    'torch',
    'torch-older-exporter',
    'torch-softmax',
    'torch-one-logit',
    'torch-number',
    'transformers',
    'transformers-pipeline',
    'mlflow-folder',
    'mlflow-pyfunc',
    'keras',
    'keras-number',
  ],
);

describeWalks(counterpart, ['A PyTorch network', 'A Keras network'], false);
