import { join } from 'node:path';
import type { Counterpart } from '../counterpart.ts';

/** All of them at once: their own pins leave room for each other. */
const PACKAGES = [
  'boto3==1.44.8',
  'databricks-sdk==0.162.0',
  'google-cloud-aiplatform==2.7.0',
  'huggingface_hub==2.4.0',
  'kserve==0.21.0',
  'mlflow-skinny==3.17.2',
  'openai==3.57.0',
  'sagemaker==2.257.7',
  // The scoring client of MLflow needs it without declaring it.
  'scipy==1.17.1',
  'tritonclient[http]==2.73.0',
  'ubiops==4.15.0',
];

/** The official clients for Python of the servers whose protocols are spoken here. */
export const counterpart: Counterpart = {
  name: 'clients',
  pin: PACKAGES.join(', '),
  install: (folder) => [
    ['python3', '-m', 'venv', folder],
    [
      join(folder, 'bin/pip'),
      'install',
      '--quiet',
      '--disable-pip-version-check',
      // Only a small part of them is imported.
      '--no-compile',
      '--prefer-binary',
      ...PACKAGES,
    ],
  ],
};
