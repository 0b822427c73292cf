import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readFormatFolder } from '../../support/format-folders.ts';
import { MODELS, PROJECT } from '../../support/project.ts';
import { type Running, startCommand } from '../../support/run-command.ts';
import { writeFiles } from '../../support/temporary-folder.ts';
import { folderOf } from '../installation.ts';
import { counterpart } from './counterpart.ts';

/** Text and image models, as Hugging Face's exporter writes them. */
const EXPORTS = ['bert-sentiment', 'sentence-mean', 'vit'];
/** Tables, as the exporters of scikit-learn and XGBoost write them: what they are answered with on other servers. */
const TABLES = { forest: 'forest-names.onnx', booster: 'xgboost-2.onnx' };
const MODEL_NAMES = ['bert-sentiment', 'booster', 'digits', 'forest', 'iris', 'sentence-mean', 'vit'];
const ENDPOINTS = ['blue', ...MODEL_NAMES];

/** What `iris` gives for the first flower. */
const LOGITS = [7.1135, -1.9692, -9.9844];
const ROWS = [LOGITS];
const PREDICTIONS = { predictions: ROWS };

const failed = (error: string, message: string) => ({ error, message: expect.stringContaining(message) });
const NO_ROSE = 'There is no model "rose"';
const WRONG_SHAPE = 'has the shape [1,1]; expected [-1,4]';

let folder: string;
let server: Running;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ternion-clients-'));
  await cp(MODELS, folder, { recursive: true });
  for (const name of EXPORTS) {
    await writeFiles(join(folder, name, '1'), readFormatFolder(`optimum/${name}`));
  }
  for (const [name, file] of Object.entries(TABLES)) {
    await mkdir(join(folder, name, '1'), { recursive: true });
    await cp(join(PROJECT, 'test/fixtures/answers', file), join(folder, name, '1/model.onnx'));
  }
  server = startCommand(['serve', '--port', '0', '-r', folder], '', {
    ADMIN_ROUTES: 'true',
    DEFAULT_MODEL: 'iris',
    ENDPOINT_MODELS: 'blue=iris/1',
    LOG_LEVEL: 'error',
  });
  const found = await server.seen(/http:\/\/localhost:\d+/);
  url = found.replace('localhost', '127.0.0.1');
});

afterAll(async () => {
  server.process.kill('SIGKILL');
  await server.outcome;
  await rm(folder, { recursive: true });
});

/** Runs a script with the client of a server, and returns the result of each of its calls. */
async function ask(name: string): Promise<unknown> {
  const installed = folderOf(counterpart);
  const python = join(installed, 'bin/python');
  const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, `ask_${name}.py`), url], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      // Nothing is compiled by the installation, nor written next to the scripts.
      PYTHONPYCACHEPREFIX: join(installed, 'pycache'),
      DO_NOT_TRACK: 'true',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      SAGEMAKER_SUPPRESS_V2_WARNING: '1',
    },
    timeout: 90_000,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

it('tritonclient.http', async () => {
  const unsupported = failed('InferenceServerException', '[501] This extension of Triton is not supported');
  expect(await ask('triton')).toEqual({
    'live, ready': [true, true],
    'model ready, version, none': [true, true, false],
    'binary in and out': ROWS,
    'binary in, JSON out': ROWS,
    'JSON in, binary out': ROWS,
    'JSON in and out': ROWS,
    'gzip both ways': ROWS,
    'deflate both ways': ROWS,
    'FP64 for FP32': ROWS,
    async: ROWS,
    aio: ROWS,
    'generated body': [16, true],
    'classification of bytes': [['3.370707:7:7']],
    texts: [2, 2],
    metadata: ['1', '2'],
    configuration: 'iris',
    index: MODEL_NAMES.flatMap((name) => (name === 'iris' ? [name, name] : [name])),
    statistics: 'iris',
    load: true,
    'unknown model': failed('InferenceServerException', `[404] ${NO_ROSE}`),
    'wrong shape': failed('InferenceServerException', '[400] Input "features" has the shape [1,3]'),
    'trace settings': unsupported,
    'log settings': unsupported,
    'shared memory': unsupported,
  });
});

it('kserve', async () => {
  const unknown = failed('HTTPStatusError', NO_ROSE);
  expect(await ask('kserve')).toEqual({
    'v1 infer': PREDICTIONS,
    'v1 image': 7,
    'v1 texts': [2, 2],
    'v1 table': { predictions: ['setosa'] },
    'v1 ready': true,
    'v1 unknown': unknown,
    'v2 infer': ROWS,
    'v2 infer, binary': ROWS,
    'v2 texts': [2, 2],
    'v2 server': [true, true, true, false],
    'v2 unknown': unknown,
    'graph, v1': PREDICTIONS,
    'graph, v2': LOGITS,
    'graph of a model': 'iris',
    'graph, unknown': unknown,
  });
});

it('mlflow', async () => {
  expect(await ask('mlflow')).toEqual({
    'gateway, instances': PREDICTIONS,
    'gateway, inputs': PREDICTIONS,
    'gateway, inputs by column': PREDICTIONS,
    'gateway, records': PREDICTIONS,
    'gateway, split': PREDICTIONS,
    'gateway, texts': [2, 2],
    'gateway, table': { predictions: ['setosa'] },
    'gateway, vectors': 8,
    'gateway, get': {
      name: 'blue',
      endpoint_type: 'tabular-classification',
      model: { name: 'iris', provider: 'ternion' },
      endpoint_url: `${url}/endpoints/blue/invocations`,
      limit: null,
    },
    'gateway, list': ENDPOINTS,
    'gateway, get unknown': failed('HTTPError', '404 Client Error'),
    'gateway, predict unknown': failed('HTTPError', '404 Client Error'),
    'gateway, predict wrong': failed('HTTPError', '400 Client Error'),
    'databricks, predict': PREDICTIONS,
    'databricks, get': [{ name: 'iris-1', entity_name: 'iris', entity_version: '1' }],
    'databricks, list': ENDPOINTS,
    'databricks, unknown': failed('HTTPError', `404 Client Error: ${NO_ROSE}`),
    'databricks, predict unknown': failed('HTTPError', `404 Client Error: ${NO_ROSE}`),
    'scoring, frame': ROWS,
    'scoring, list': ROWS,
    'scoring, array': ROWS,
    'scoring, params': ROWS,
    'scoring, ping': null,
    'scoring, version': true,
  });
});

it('databricks-sdk', async () => {
  const unsupported = failed('NotImplemented', 'Endpoints stand for models here');
  expect(await ask('databricks')).toEqual({
    'warnings at start': [],
    'query, inputs': ROWS,
    'query, instances': ROWS,
    'query, records': ROWS,
    'query, split': ROWS,
    'query, texts': 2,
    'query, served model': 'iris-1',
    'query, input': [8, 8],
    'query, input for a table': failed(
      'InvalidParameterValue',
      'Field "input" is for models that make vectors',
    ),
    'query, unknown': failed('ResourceDoesNotExist', NO_ROSE),
    'query, wrong': failed('InvalidParameterValue', WRONG_SHAPE),
    get: ['1', 'READY'],
    list: ENDPOINTS,
    'get unknown': failed('ResourceDoesNotExist', NO_ROSE),
    'data plane': ROWS,
    'data plane, twice': ROWS,
    'service principal': ROWS,
    metrics: unsupported,
    description: unsupported,
  });
});

it('boto3', async () => {
  const wrong = failed('ModelError', 'has 2 columns; the model takes 4.');
  const unknown = failed('ValidationError', NO_ROSE);
  const line = `${[7.113542, -1.969219, -9.984419]}\n`;
  expect(await ask('boto3')).toEqual({
    CSV: ROWS,
    'CSV out': line,
    JSON: PREDICTIONS,
    lines: ROWS,
    array: ROWS,
    image: '7',
    variant: '2',
    'target model': ROWS,
    component: ROWS,
    "TensorFlow's container": PREDICTIONS,
    wrong,
    unknown,
    asynchronous: failed('ClientError', '(NotImplementedException)'),
    stream: [1, 'application/json', '2', `[[${line.trim()}]]\n`],
    'stream of CSV': [1, 'text/csv', '2', line],
    'stream, wrong': wrong,
    'stream, unknown': unknown,
    'stream, too late': failed('EventStreamError', '(ModelStreamError)'),
  });
});

it('sagemaker', async () => {
  const body = '{"predictions":[[7.113542,-1.969219,-9.984419]]}';
  expect(await ask('sagemaker')).toEqual({
    CSV: [['7.113542', '-1.969219', '-9.984419']],
    JSON: ROWS,
    lines: ROWS,
    array: ROWS,
    bytes: ROWS,
    image: '7',
    'TensorFlow, predict': PREDICTIONS,
    'TensorFlow, classify': 'setosa',
    PyTorch: ROWS,
    'Hugging Face': 'POSITIVE',
    'Hugging Face, texts': ['POSITIVE', 'POSITIVE'],
    'scikit-learn': ['setosa', 'setosa'],
    'XGBoost, LibSVM': [['0.8802991']],
    'XGBoost, CSV': [['0.106167436']],
    stream: [`${body}\n`],
    'stream of lines': [body],
  });
});

it('huggingface_hub', async () => {
  const refused = (message: string) => failed('BadRequestError', message);
  expect(await ask('hugging_face')).toEqual({
    'image_classification of a path': '7',
    'image_classification, top_k': ['7', '2'],
    async: '7',
    text_classification: 2,
    feature_extraction: [1, 8],
    'feature_extraction, dimensions': [1, 4],
    tabular_classification: ['setosa'],
    'unknown model': failed('HfHubHTTPError', NO_ROSE),
    'another task': refused('Field "parameters" has "candidate_labels"'),
    sentence_similarity: refused('Field "inputs" is an object'),
  });
});

it('google-cloud-aiplatform', async () => {
  expect(await ask('vertex')).toEqual({
    predict: ROWS,
    'predict by full name': ROWS,
    'predict by ENDPOINT_MODELS': '1',
    'predict with parameters': ['7'],
    'predict with texts': [2, 2],
    'predict with texts as content': ['POSITIVE', 'POSITIVE'],
    'predict for a table': ['setosa'],
    'predict, unknown': failed('NotFound', NO_ROSE),
    list_models: ['1', '2'],
    traffic_split: { 1: 100 },
    list: ENDPOINTS,
    'list by name': ['blue'],
    'list, then predict': ROWS,
    'list by another filter': failed('BadRequest', 'expected display_name="..." or endpoint="..."'),
    'private, predict': ROWS,
    'private, version': '1',
    'private, raw': 200,
    'private, health': true,
    'private, list': ENDPOINTS,
    'private, unknown': failed('NotFound', NO_ROSE),
    'private, wrong': failed('RuntimeError', '400 - Failed to make request'),
    'generated, raw_predict': '{"predictions":[[7.113542,-1.969219,-9.984419]]}',
    models: failed('MethodNotImplemented', 'Below a location there are endpoints'),
    explain: failed('MethodNotImplemented', 'Method explain is not supported'),
  });
});

it('ubiops', async () => {
  const unknown = failed('ApiRequestError', `Not Found (404)\nError: ${NO_ROSE}`);
  const notStored = failed('ApiRequestError', 'Not Implemented (501)\nError: Requests are answered at once');
  expect(await ask('ubiops')).toEqual({
    request: { logits: LOGITS },
    requests: 2,
    texts: 2,
    'request of a version': '1',
    'request that fails': 'failed',
    'request to an unknown deployment': unknown,
    service_status: 'ok',
    projects_list: ['default'],
    projects_get: 'mine',
    deployments_list: ENDPOINTS,
    'deployments_list by label': [],
    deployments_get: ['1', ['sepal_length', 'double'], [['logits', 'array_double']]],
    'deployments_get, unknown': unknown,
    deployment_versions_list: [
      ['1', false, 'available'],
      ['2', true, 'available'],
    ],
    deployment_versions_get: false,
    'deployment_versions_get, unknown': failed('ApiRequestError', 'has no version "9"'),
    pipelines_list: ENDPOINTS,
    pipelines_get: '2',
    pipeline_versions_list: ['1', '2'],
    pipeline_versions_get: true,
    'pipeline request': { logits: LOGITS },
    'pipeline request of a version': '1',
    'pipeline request, unknown': unknown,
    batch: notStored,
    'list of requests': notStored,
    'batch of a pipeline': notStored,
  });
});

it('openai', async () => {
  const missing = failed('NotFoundError', '404');
  expect(await ask('openai')).toEqual({
    'models.list': MODEL_NAMES,
    'models.retrieve': 'iris',
    'models.retrieve, unknown': missing,
    embeddings: missing,
    chat: missing,
  });
});

it('code for TensorFlow Serving, TorchServe and Azure ML, which have no client', async () => {
  expect(await ask('http')).toEqual({
    'TensorFlow Serving, status': 'AVAILABLE',
    'TensorFlow Serving, metadata': 'iris',
    'TensorFlow Serving, rows': PREDICTIONS,
    'TensorFlow Serving, columns': { outputs: ROWS },
    'TensorFlow Serving, version': PREDICTIONS,
    'TensorFlow Serving, label': [404, 404],
    'TensorFlow Serving, classify': 'setosa',
    'TensorFlow Serving, image': 10,
    'TensorFlow Serving, texts': 2,
    // Classes are in the order of the labels there.
    'TensorFlow Serving, examples': ['NEGATIVE', 'NEGATIVE'],
    'TensorFlow Serving, metrics': 404,
    'TorchServe, body': '7',
    'TorchServe, form': '7',
    'TorchServe, data': ['setosa'],
    'TorchServe, texts': 2,
    'TorchServe, versions': ['1', '2'],
    'TorchServe, ping': { status: 'Healthy' },
    'TorchServe, description': '3.1.0',
    'TorchServe, OPTIONS': '3.1.0',
    'TorchServe, explanations': [501, 501],
    'Azure ML, data': ROWS,
    'Azure ML, input_data': ROWS,
    'Azure ML, texts': 2,
    'Azure ML, AutoML': { Results: ['setosa'] },
    'Azure ML, designer': {
      Results: {
        output1: [
          {
            sepal_length: 5.1,
            sepal_width: 3.5,
            petal_length: 1.4,
            petal_width: 0.2,
            'Scored Labels': 'setosa',
            'Scored Probabilities_setosa': 0.9999,
            'Scored Probabilities_versicolor': 0.0001,
            'Scored Probabilities_virginica': 0,
          },
        ],
      },
    },
    'Azure ML, deployment': ROWS,
  });
});
