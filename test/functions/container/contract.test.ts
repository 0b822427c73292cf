import { describe, expect, it } from 'vitest';
import { portOf, readContract } from '../../../functions/container/contract.ts';

const read = (
  environment: Readonly<Record<string, string>>,
  words: readonly string[] = [],
  folders: readonly string[] = [],
) => readContract(environment, words, (folder) => folders.includes(folder));

const OWN = { port: 8080, repository: '/models', isMounted: false, modelName: 'model' };

describe('the contract of a container', () => {
  it.each<[string, Parameters<typeof read>, Partial<ReturnType<typeof read>>]>([
    ['no platform', [{}], {}],
    ['Cloud Run', [{ PORT: '9000', K_SERVICE: 'ternion' }], { port: 9000 }],
    [
      'SageMaker',
      [{}, ['serve'], ['/opt/ml/model', '/mnt/models']],
      { repository: '/opt/ml/model', isMounted: true },
    ],
    [
      'SageMaker with another port',
      [{ SAGEMAKER_BIND_TO_PORT: '8081' }, ['serve'], ['/opt/ml/model']],
      { port: 8081, repository: '/opt/ml/model', isMounted: true },
    ],
    ['SageMaker without model data', [{}, ['serve']], {}],
    [
      'KServe',
      [{ MODEL_NAME: 'iris' }, [], ['/mnt/models']],
      { repository: '/mnt/models', isMounted: true, modelName: 'iris' },
    ],
    [
      'Vertex AI without an artifact URI',
      [{ AIP_HTTP_PORT: '8088', AIP_STORAGE_URI: '', AIP_PREDICT_ROUTE: '/p' }],
      { port: 8088 },
    ],
    [
      'Vertex AI with files in a folder',
      [{ AIP_HTTP_PORT: '8080', AIP_STORAGE_URI: '/mounted' }],
      { repository: '/mounted', isMounted: true },
    ],
    [
      'Vertex AI with files in a bucket',
      [{ AIP_HTTP_PORT: '8080', AIP_STORAGE_URI: 'gs://bucket/model' }],
      { repository: 'gs://bucket/model', isMounted: true },
    ],
    [
      'Azure ML',
      [{ AZUREML_MODEL_DIR: '/var/azureml-app/azureml-models/iris/1' }],
      { port: 5001, repository: '/var/azureml-app/azureml-models/iris/1', isMounted: true },
    ],
  ])('is known for %s', (_, options, expected) => {
    expect(read(...options)).toEqual({ ...OWN, ...expected });
  });

  it('gives way to PORT and MODEL_REPOSITORY', () => {
    const platforms = {
      SAGEMAKER_BIND_TO_PORT: '8081',
      AIP_HTTP_PORT: '8082',
      AIP_STORAGE_URI: 'gs://bucket/model',
      AZUREML_MODEL_DIR: '/azure',
    };
    const own = { PORT: '7000', MODEL_REPOSITORY: 's3://bucket' };
    expect(read({ ...platforms, ...own }, ['serve'], ['/opt/ml/model'])).toEqual({
      ...OWN,
      port: 7000,
      repository: 's3://bucket',
    });
  });

  it.each<[Parameters<typeof read>, string]>([
    [[{ PORT: 'http' }], 'PORT="http" must be a number from 1 to 65535.'],
    [[{ SAGEMAKER_BIND_TO_PORT: '0' }], 'SAGEMAKER_BIND_TO_PORT="0" must be a number from 1 to 65535.'],
    [[{ AIP_HTTP_PORT: '65536' }], 'AIP_HTTP_PORT="65536" must be a number from 1 to 65535.'],
    [[{ MODEL_NAME: 'a/b' }], 'MODEL_NAME="a/b" must be a model name (letters, digits, ".", "_" and "-").'],
    [[{}, ['train']], 'The container has the arguments "train"; expected none, or "serve".'],
    [[{}, ['serve', '--fast']], 'The container has the arguments "serve --fast"; expected none, or "serve".'],
  ])('refuses %j', (options, message) => {
    expect(() => read(...options)).toThrow(message);
  });
});

it('finds the port without the arguments, as the health check does', () => {
  expect([{}, { PORT: ' ' }, { PORT: '81' }, { AZUREML_MODEL_DIR: '/a' }].map(portOf)).toEqual([
    8080, 8080, 81, 5001,
  ]);
});
