import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createInvocation } from '../../../../shared/protocols/invocation.ts';
import { detectFormat } from '../../../../shared/protocols/shared-routes/detect-format.ts';
import { writeNpy } from '../../../../shared/tensor/npy.ts';
import { createTensor } from '../../../../shared/tensor/tensor.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  identityModel,
  STRING,
  tensorValue,
} from '../../../support/build-model.ts';
import { rejectionOf } from '../../../support/error-of.ts';
import { makeInference } from '../../../support/make-inference.ts';
import { PROJECT } from '../../../support/project.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';
import { testContext } from '../../../support/test-context.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const NPY = writeNpy(createTensor('FP32', [1, 2], [1, 2]));
const TFS = { 'x-amzn-sagemaker-custom-attributes': 'trace=7, tfs-method=predict' };
const JSON_TYPE = { 'content-type': 'application/json' };
const CSV = { 'content-type': 'text/csv' };
const V2_INPUT = { name: 'x', shape: [1], datatype: 'FP32', data: [1] };

type Case = readonly [
  title: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
  dialect: string,
];

/** The rules in their order, each with bodies that a later rule would take as well. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  'V2 in binary': [
    ['its header', { instances: [] }, { 'inference-header-content-length': '7' }, 'open-inference'],
    [
      "SageMaker's type",
      'x',
      { 'content-type': 'application/vnd.sagemaker-triton.binary+json;json-header-size=7' },
      'open-inference',
    ],
    [
      "Vertex AI's type",
      'x',
      { 'content-type': 'application/vnd.vertex-ai-triton.binary+json;json-header-size=7' },
      'open-inference',
    ],
    ['its header on an image', PNG, { 'inference-header-content-length': '7' }, 'open-inference'],
  ],
  media: [
    ['an image by its type', 'anything', { 'content-type': 'image/png' }, 'sagemaker'],
    ['an image by the legacy type', PNG, { 'content-type': 'application/x-image' }, 'sagemaker'],
    ['an image without a type', PNG, {}, 'sagemaker'],
    ['an image as bytes', PNG, { 'content-type': 'application/octet-stream' }, 'sagemaker'],
    ['an image as curl sends it', PNG, { 'content-type': 'application/x-www-form-urlencoded' }, 'sagemaker'],
    ['a form', '--x', { 'content-type': 'multipart/form-data; boundary=x' }, 'sagemaker'],
    ['an image for TensorFlow', PNG, TFS, 'sagemaker'],
    ['an array', NPY, { 'content-type': 'application/x-npy' }, 'sagemaker'],
    ['an array without a type', NPY, {}, 'sagemaker'],
    ['an archive of arrays', 'PK', { 'content-type': 'application/x-npz' }, 'sagemaker'],
  ],
  'tables and lines': [
    ['numbers', '1,2\n3,4', CSV, 'sagemaker'],
    ['numbers in quotes, and gaps', '"1", \n3,4', CSV, 'sagemaker'],
    ['numbers that are not finite', 'NaN,-inf', CSV, 'sagemaker'],
    ['names', 'a,b\n1,2', CSV, 'mlflow'],
    ['names of others for a model of numbers', 'sepal,petal\n1,2', CSV, 'mlflow'],
    ['values, one of them missing', '1,2,NA\n4,5,6', CSV, 'sagemaker'],
    ['names after that of an index', ',a,b\n0,1,2', CSV, 'mlflow'],
    ['names that its type denies', 'a,b\n1,2', { 'content-type': 'text/csv; header=absent' }, 'sagemaker'],
    ['numbers that its type calls names', '1,2', { 'content-type': 'text/csv; header=present' }, 'mlflow'],
    ['names, lines wanted', 'a,b\n1,2', { ...CSV, accept: 'text/csv' }, 'sagemaker'],
    ['names, JSON wanted', 'a,b\n1,2', { ...CSV, accept: 'application/json' }, 'mlflow'],
    ['names for TensorFlow', 'a,b\n1,2', { ...CSV, ...TFS }, 'tensorflow-serving'],
    ['what begins like an image', 'BM\0\0\0\0\0\0\0\0\0,b', CSV, 'mlflow'],
    ['lines', '{"inputs": "x"}', { 'content-type': 'application/jsonlines' }, 'sagemaker'],
    ['lines, loud', '1', { 'content-type': 'APPLICATION/JSONLINES' }, 'sagemaker'],
    ['lines by another name', '1', { 'content-type': 'application/x-ndjson' }, 'sagemaker'],
    ['lines for TensorFlow', '1', { 'content-type': 'application/jsons', ...TFS }, 'tensorflow-serving'],
  ],
  'V2 in JSON': [
    ['tensors', { inputs: [V2_INPUT] }, JSON_TYPE, 'open-inference'],
    ['tensors with parameters', { inputs: [V2_INPUT], parameters: {} }, JSON_TYPE, 'open-inference'],
    ['tensors for TensorFlow', { inputs: [V2_INPUT] }, TFS, 'open-inference'],
    ['no tensors at all', { inputs: [] }, JSON_TYPE, 'mlflow'],
    ['one that is not a tensor', { inputs: [V2_INPUT, { name: 'y' }] }, JSON_TYPE, 'mlflow'],
  ],
  'tables of pandas': [
    ['split', { dataframe_split: {} }, JSON_TYPE, 'mlflow'],
    ['records', { dataframe_records: [] }, JSON_TYPE, 'mlflow'],
    ['split with instances', { dataframe_split: {}, instances: [] }, JSON_TYPE, 'mlflow'],
    ['records with a text', { dataframe_records: [], inputs: 'x' }, JSON_TYPE, 'mlflow'],
  ],
  'Azure ML': [
    ['input_data', { input_data: [[1]] }, JSON_TYPE, 'azure-ml'],
    ['input_data with data', { input_data: [[1]], data: [] }, JSON_TYPE, 'azure-ml'],
  ],
  examples: [
    ['examples', { examples: [{}] }, JSON_TYPE, 'tensorflow-serving'],
    ['examples for TensorFlow', { examples: [{}] }, TFS, 'tensorflow-serving'],
    ['examples with instances', { examples: [{}], instances: [] }, JSON_TYPE, 'tensorflow-serving'],
  ],
  instances: [
    ['instances', { instances: [[1]] }, JSON_TYPE, 'mlflow'],
    ['instances with parameters', { instances: [[1]], parameters: {} }, JSON_TYPE, 'mlflow'],
    ['instances for TensorFlow', { instances: [[1]] }, TFS, 'tensorflow-serving'],
    ['instances, lines wanted', { instances: [[1]] }, { accept: 'application/jsonlines' }, 'sagemaker'],
    ['instances without a type', { instances: [[1]] }, {}, 'mlflow'],
    ['instances as curl sends them', { instances: [1] }, { 'content-type': 'text/plain' }, 'mlflow'],
  ],
  inputs: [
    ['a text', { inputs: 'AAEC' }, JSON_TYPE, 'hugging-face'],
    ['anything with parameters', { inputs: [1], parameters: { top_k: 1 } }, JSON_TYPE, 'hugging-face'],
    ['with parameters and params', { inputs: [1], parameters: {}, params: {} }, JSON_TYPE, 'mlflow'],
    ['with parameters and a signature', { inputs: [1], parameters: {}, signature_name: '' }, {}, 'mlflow'],
    ['with parameters that are not an object', { inputs: [1], parameters: 1 }, JSON_TYPE, 'mlflow'],
    ['numbers', { inputs: [[1]] }, JSON_TYPE, 'mlflow'],
    ['columns', { inputs: { a: [1] } }, JSON_TYPE, 'mlflow'],
    ['a text for TensorFlow', { inputs: 'AAEC' }, TFS, 'tensorflow-serving'],
    ['with a table', { inputs: [1], table: {} }, JSON_TYPE, 'mlflow'],
  ],
  'table and data': [
    ['a table', { table: { a: ['1'] } }, JSON_TYPE, 'hugging-face'],
    ['data', { data: 'AAEC' }, JSON_TYPE, 'torchserve'],
    ['a body', { body: 'AAEC' }, JSON_TYPE, 'torchserve'],
  ],
  'anything else': [
    ['a list', [[1, 2]], JSON_TYPE, 'sagemaker'],
    ['a number', '7', JSON_TYPE, 'sagemaker'],
    ['an object for TensorFlow', { sepal: 1 }, TFS, 'tensorflow-serving'],
    ['a list for TensorFlow', [[1, 2]], TFS, 'tensorflow-serving'],
    ['values one after the other', '{"x":1}{"x":2}', JSON_TYPE, 'sagemaker'],
    ['lists line by line', '[1]\n[2]', {}, 'sagemaker'],
    ['objects line by line for TensorFlow', '{"x":1}\n{"x":2}', TFS, 'tensorflow-serving'],
    ['a type of its own', 'x', { 'content-type': 'text/libsvm' }, 'sagemaker'],
    ['no type and no form', 'x', {}, 'sagemaker'],
  ],
};

const TEXTS = buildModel({
  nodes: [buildNode('Identity', ['word'], ['w']), buildNode('Identity', ['tag'], ['t'])],
  inputs: [tensorValue('word', STRING, ['n']), tensorValue('tag', STRING, ['n'])],
  outputs: [tensorValue('w', STRING, ['n']), tensorValue('t', STRING, ['n'])],
});

async function detect(body: unknown, headers: Readonly<Record<string, string>>, model = 'numbers') {
  const folder = await makeFolder({
    'numbers/1/model.onnx': identityModel(FLOAT, ['n', 2]),
    'texts/1/model.onnx': TEXTS,
  });
  const { inference } = makeInference(folder);
  const bytes =
    body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const request = new Request('http://localhost/invocations', { method: 'POST', headers: { ...headers } });
  const invocation = createInvocation(request, bytes, testContext(), { model });
  return (await detectFormat(invocation, { inference })).dialect;
}

describe.each(Object.entries(CASES))('a body of %s', (_, cases) => {
  it.each(cases)('%s', async (_title, body, headers, dialect) => {
    expect(await detect(body, headers)).toBe(dialect);
  });
});

describe('a table of texts', () => {
  it('begins with names only where they are those of the model', async () => {
    expect(await detect('word,tag\na,b', CSV, 'texts')).toBe('mlflow');
    expect(await detect('tag,word\na,b', CSV, 'texts')).toBe('mlflow');
    expect(await detect('cat,noun\ndog,noun', CSV, 'texts')).toBe('sagemaker');
  });
});

describe('a body of no format', () => {
  it('is refused with a list of the accepted members', async () => {
    const error = await rejectionOf(detect({ features: [1] }, JSON_TYPE));
    expect(error.status).toBe(400);
    expect(error.message).toBe(
      'The request is an object with the keys "features"; expected one of "instances", "inputs", "dataframe_split", ' +
        '"dataframe_records", "input_data", "Inputs", "examples", "table" or "data".',
    );
  });

  it('is refused as JSON with the place where it breaks', async () => {
    expect((await rejectionOf(detect('{"instances": [1,]}', JSON_TYPE))).message).toBe(
      'The body is not valid JSON: unexpected "]}" at line 1, column 18.',
    );
  });

  it('is refused for a type of answer that no format has', async () => {
    const error = await rejectionOf(detect({ instances: [1] }, { accept: 'text/html' }));
    expect(error).toMatchObject({ code: 'NOT_ACCEPTABLE', status: 406 });
  });
});
