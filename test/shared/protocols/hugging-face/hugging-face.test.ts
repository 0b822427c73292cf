import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { form, get, post, raw } from '../../../contracts/exchanges.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  identityModel,
  integerAttribute,
  tensorValue,
} from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestRequest } from '../../../support/hosts/test-host.ts';
import { makeRepository } from '../../../support/make-repository.ts';
import { PROJECT } from '../../../support/project.ts';
import { replay } from '../../../support/recorded-requests.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const B64 = PNG.toString('base64');
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const NAMED = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const TABLE = { sepal_length: ['5.1'], sepal_width: ['3.5'], petal_length: ['1.4'], petal_width: ['0.2'] };
const seven = { label: '7', score: expect.closeTo(0.7923, 4) };
const two = { label: '2', score: expect.closeTo(0.1108, 4) };
const BASE64_PARAMETERS = { top_k: 1, function_to_apply: 'softmax' };

const app = openApp();
afterAll(() => app.close());

async function ask(request: TestRequest, host = app) {
  const { status, body } = await host.send(request);
  return { status, json: JSON.parse(body.toString()) };
}
const hf = async (path: string, body: unknown, host = app) => await ask(post(path, body), host);

describe('classification of images', () => {
  it.each([
    ['without a type', raw('/', PNG, {})],
    ['with its type', raw('/hf/digits', PNG, { 'content-type': 'image/png' })],
    ['as bytes', raw('/models/digits', PNG, { 'content-type': 'application/octet-stream' })],
    ['as a form', form('/hf/digits', 'file', PNG)],
    ['in base64', post('/', { inputs: B64 })],
    ['as a data URI', post('/hf/digits', { inputs: `data:image/png;base64,${B64}` })],
    ['in base64 by name', post('/hf/digits', { inputs: { image: B64 }, options: { use_cache: false } })],
    ['where the path names the task', post('/models/digits/pipeline/image-classification', { inputs: B64 })],
  ])('takes one %s and answers the five best labels', async (_, request) => {
    const { json } = await ask(request);
    expect(json).toHaveLength(5);
    expect(json.slice(0, 2)).toEqual([seven, two]);
  });

  it('answers a list of lists for several images', async () => {
    const { json } = await hf('/hf/digits', { inputs: [B64, B64], parameters: { top_k: 1 } });
    expect(json).toEqual([[seven], [seven]]);
  });

  it.each([
    ['the body', post('/hf/digits', { inputs: B64, parameters: BASE64_PARAMETERS })],
    ['the query string', post('/hf/digits?top_k=1&code=key', { inputs: B64 })],
    ['the query string of an image', raw('/hf/digits?top_k=1', PNG, {})],
    ['the body, before the query string', post('/?top_k=3', { inputs: B64, parameters: { top_k: 1 } })],
    ['with the inputs', post('/hf/digits', { inputs: B64, top_k: 1 })],
  ])('takes parameters from %s', async (_, request) => {
    expect((await ask(request)).json).toEqual([seven]);
  });

  it('takes null for no parameter, and as many labels as there are', async () => {
    const ask1 = async (parameters: unknown) => (await hf('/hf/digits', { inputs: B64, parameters })).json;
    expect(await ask1({ top_k: null, function_to_apply: null, mask_threshold: null })).toHaveLength(5);
    expect(await ask1({ top_k: 99 })).toHaveLength(10);
    expect(await ask1(null)).toHaveLength(5);
  });
});

describe('the function that makes scores', () => {
  async function openMeans(postprocess: readonly object[]) {
    const onnx = buildModel({
      nodes: [buildNode('Flatten', ['x'], ['y'], { attributes: [integerAttribute('axis', 1)] })],
      inputs: [tensorValue('x', FLOAT, ['n', 3, 1, 1])],
      outputs: [tensorValue('y', FLOAT, ['n', 3])],
    });
    const preprocess = [
      { step: 'convert', mode: 'RGB' },
      { step: 'resize', width: 1, height: 1, filter: 'box' },
      { step: 'normalize', mean: [0, 0, 0], std: [255, 255, 255] },
      { step: 'layout', layout: 'NCHW' },
    ];
    const config = { task: 'image-classification', labels: ['r', 'g', 'b'], preprocess, postprocess };
    return openApp({ MODEL_REPOSITORY: await makeRepository({ means: { onnx, config } }) });
  }
  const scoresOf = async (host: typeof app, name: string | undefined) => {
    const parameters = name === undefined ? {} : { function_to_apply: name };
    const { status, json } = await hf('/', { inputs: B64, parameters }, host);
    return status === 200 ? json.map(({ score }: { score: number }) => score) : json.error;
  };

  it('is applied to what a graph gives', async () => {
    const host = await openMeans([]);
    const [mean] = await scoresOf(host, undefined);
    expect(mean).toBeGreaterThan(0.1);
    expect(mean).toBeLessThan(0.9);
    expect(await scoresOf(host, 'none')).toEqual([mean, mean, mean]);
    const third = expect.closeTo(1 / 3, 12);
    expect(await scoresOf(host, 'softmax')).toEqual([third, third, third]);
    const sigmoid = expect.closeTo(1 / (1 + Math.exp(-mean)), 12);
    expect(await scoresOf(host, 'sigmoid')).toEqual([sigmoid, sigmoid, sigmoid]);
    await host.close();
  });

  it('must be that of the config', async () => {
    const host = await openMeans([{ step: 'softmax' }]);
    expect(await scoresOf(host, 'softmax')).toHaveLength(3);
    expect(await scoresOf(host, 'none')).toBe(
      'Field "parameters.function_to_apply" is "none"; the config of this model makes its scores with "softmax", so expected "softmax".',
    );
    await host.close();
  });
});

describe('tables', () => {
  it.each([
    ['a table', { table: TABLE }, ['setosa']],
    ['a table in another order', { table: Object.fromEntries(Object.entries(TABLE).reverse()) }, ['setosa']],
    ['a table with a column more', { table: { ...TABLE, colour: ['red'] }, parameters: {} }, ['setosa']],
    ['columns as inputs', { inputs: TABLE }, ['setosa']],
    ['columns under data, for numbers', { inputs: { data: TABLE } }, [0]],
    ['rows', { inputs: [SETOSA, NAMED] }, ['setosa', 'setosa']],
    ['one row', { inputs: SETOSA }, ['setosa']],
  ])('takes %s', async (_, body, answer) => {
    expect((await hf('/hf/iris', body)).json).toEqual(answer);
    expect((await hf('/', body)).json).toEqual(answer);
  });

  it.each([
    [{ table: {} }, /^Field "table" has no rows/],
    [{ table: { a: [] } }, 'Field "table" has no column "sepal_length"; its columns are "a".'],
    [
      { table: { ...TABLE, petal_width: ['x'] } },
      /^Field "table\[0\]\[3\]" \(petal_width\) is the string "x"/,
    ],
    [
      { table: { ...TABLE, petal_width: [] } },
      'Field "table.petal_width" has 0 values; "sepal_length" has 1.',
    ],
    [
      { table: TABLE, parameters: { top_k: 1 } },
      /"top_k"; the parameters of tabular-classification are: none/,
    ],
    [{ table: TABLE, inputs: 1 }, 'The request has "inputs" and "table"; expected only one of them.'],
    [{ inputs: 'text' }, 'Field "inputs" is the string "text"; expected an object of columns.'],
  ])('refuses %j', async (body, message) => {
    const { status, json } = await hf('/hf/iris', body);
    expect(status).toBe(400);
    expect(json.error).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('get the sums of a regression as numbers, or lists of them', async () => {
    const reduce = (keepdims: number) =>
      buildModel({
        nodes: [
          buildNode('ReduceSumSquare', ['x'], ['y'], {
            attributes: [integerAttribute('keepdims', keepdims)],
          }),
        ],
        inputs: [tensorValue('x', FLOAT, ['n', 2])],
        outputs: [tensorValue('y', FLOAT, [1, 1])],
        opsets: { '': 13 },
      });
    const config = { task: 'tabular-regression', features: [{ name: 'a' }, { name: 'b' }] };
    const folder = await makeRepository({
      squares: { onnx: reduce(1), config },
      both: { onnx: identityModel(FLOAT, ['n', 2]), config },
    });
    const host = openApp({ MODEL_REPOSITORY: folder });
    const request = { inputs: { data: { b: ['2'], a: ['-1e0'] } } };
    expect((await hf('/hf/squares', request, host)).json).toEqual([5]);
    expect((await hf('/hf/both', request, host)).json).toEqual([[-1, 2]]);
    await host.close();
  });
});

describe('other requests', () => {
  it('get the outputs of a model without a task', async () => {
    const folder = await makeRepository({ same: { onnx: identityModel(FLOAT, ['n']) } });
    const host = openApp({ MODEL_REPOSITORY: folder });
    expect((await hf('/', { inputs: [1, 2.5] }, host)).json).toEqual([1, 2.5]);
    await host.close();
  });

  it.each([
    [
      { inputs: 'https://example.org/7.png' },
      /^Field "inputs" is an address \(https:\/\/\), which is not fetched/,
    ],
    [{ inputs: [] }, /^Field "inputs" is empty/],
    [{ inputs: { question: 'what?' } }, /expected an image in base64/],
    [{ inputs: B64, parameters: { candidate_labels: ['a'] } }, /are: top_k, function_to_apply/],
    [
      { inputs: B64, parameters: { top_k: 0 } },
      /^Field "parameters.top_k" is the number 0; expected a whole/,
    ],
    [{ inputs: B64, parameters: { function_to_apply: 'relu' } }, /expected "softmax", "sigmoid" or "none"/],
    [{ inputs: B64, parameters: 5 }, /^Field "parameters" is the number 5/],
    [{ x: 1 }, 'The request is an object with the keys "x"; expected "inputs".'],
  ])('of images refuse %j', async (body, message) => {
    const { status, json } = await hf('/hf/digits', body);
    expect(status).toBe(400);
    expect(json.error).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('are given the task of a model, and the accepted types', async () => {
    const { json } = await hf('/models/digits/pipeline/feature-extraction', { inputs: B64 });
    expect(json.error).toBe('Model "digits" is for image-classification, not for "feature-extraction".');
    const sound = await ask(raw('/hf/digits', 'x', { 'content-type': 'audio/wav' }));
    expect([sound.status, sound.json.error_code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    expect(sound.json.error).toMatch(/"audio\/wav".* application\/json and images\.$/);
    expect((await ask(raw('/hf/iris', PNG, {}))).json.error).toMatch(
      /^The request is an image; this model takes a table/,
    );
  });

  it('find nothing where the protocol is off, but the description of a model', async () => {
    const host = openApp({ PROTOCOLS: 'ternion' });
    expect((await ask(raw('/hf/digits', PNG, {}), host)).status).toBe(404);
    expect((await ask(raw('/models/digits', PNG, {}), host)).status).toBe(405);
    expect((await ask(get('/models/digits'))).status).toBe(200);
    await host.close();
  });
});

describe('POST /predict', () => {
  it.each([
    ['a text as inputs', { inputs: B64 }, 5],
    ['parameters with inputs', { inputs: { image: B64 }, parameters: { top_k: 2 } }, 2],
    ['a table', { table: TABLE }, 1],
  ])("is Hugging Face's for %s", async (_, body, length) => {
    expect((await hf('/predict', body)).json).toHaveLength(length);
  });

  it("is Ternion's own for all else, or where Hugging Face is off", async () => {
    expect((await hf('/predict', { features: SETOSA, parameters: {} })).json.prediction).toBe('setosa');
    expect((await ask(raw('/predict', PNG, {}))).json.prediction).toBe('7');
    const host = openApp({ PROTOCOLS: 'ternion' });
    expect((await hf('/predict', { inputs: B64 }, host)).status).toBe(400);
    await host.close();
  });

  it("is Hugging Face's alone where that is pinned", async () => {
    const host = openApp({ DIALECT: 'hugging-face' });
    expect((await ask(raw('/models/digits/predict', PNG, {}), host)).json[0]).toEqual(seven);
    expect((await ask(raw('/predict', '', {}), host)).json.error).toMatch(/body is empty/);
    await host.close();
  });
});

describe("what Hugging Face's client for Python sends", () => {
  it('gets the answers it expects', async () => {
    const answers = await replay('huggingface_hub', app);
    const errors = Object.entries(answers).filter(([, { status }]) => status !== 200);
    expect(answers['image_classification of bytes']?.json.slice(0, 2)).toEqual([seven, two]);
    expect(answers['image_classification of a path']?.json).toHaveLength(5);
    expect(answers['image_classification with top_k']?.json).toEqual([seven, two]);
    expect(answers['image_classification with parameters on /predict']?.json).toEqual([seven, two]);
    expect(answers.tabular_classification?.json).toEqual(['setosa', 'virginica']);
    expect(answers['tabular_classification without a model']?.json).toEqual(['setosa', 'virginica']);
    expect(errors.map(([call, { status, json }]) => [call, status, json.error])).toEqual([
      ['image_classification with another function', 400, expect.stringContaining('"sigmoid"')],
      [
        'image_classification of no image',
        415,
        expect.stringMatching(/^A body that is neither JSON nor an image/),
      ],
      ['tabular_classification without a column', 400, expect.stringContaining('no column "sepal_width"')],
      ['zero_shot_image_classification', 400, expect.stringContaining('"candidate_labels"')],
    ]);
  });
});
