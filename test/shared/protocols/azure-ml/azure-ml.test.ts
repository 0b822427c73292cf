import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { form, get, post, raw } from '../../../contracts/exchanges.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestRequest } from '../../../support/hosts/test-host.ts';
import { makeRepository } from '../../../support/make-repository.ts';
import { PROJECT } from '../../../support/project.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const B64 = PNG.toString('base64');
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const LOGITS = [7.113542, -1.969219, -9.984419];
const COLUMNS = ['petal_width', 'petal_length', 'sepal_width', 'sepal_length'];
const digit = expect.arrayContaining([expect.closeTo(3.3707, 4)]);

const app = openApp();
afterAll(() => app.close());

async function ask(request: TestRequest, host = app) {
  const { status, headers, body } = await host.send(request);
  return { status, headers, json: JSON.parse(body.toString()) };
}
const score = async (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  await ask({ ...post('/score', body), headers: { 'content-type': 'application/json', ...headers } });

describe('scoring', () => {
  it.each([
    ['a table', { input_data: { columns: COLUMNS, index: [0], data: [[0.2, 1.4, 3.5, 5.1]] } }, [LOGITS]],
    ['a table without columns', { input_data: { data: [SETOSA, SETOSA] } }, [LOGITS, LOGITS]],
    ['a list', { input_data: [SETOSA], params: {} }, [LOGITS]],
    ['a list of objects', { input_data: [{ features: SETOSA }] }, [LOGITS]],
    ['a named tensor', { input_data: { features: [SETOSA] } }, [LOGITS]],
    ['the list of a script', { data: [SETOSA] }, [LOGITS]],
    ['images in a table', { input_data: { columns: ['picture'], index: [0], data: [[B64]] } }, [digit]],
    ['images by name', { input_data: { image: [B64, B64] } }, [digit, digit]],
    ['an image', { data: B64 }, [digit]],
    ['a list of images', { data: [B64] }, [digit]],
  ])('takes %s and answers the bare predictions', async (_, request, predictions) => {
    expect((await score(request)).json).toEqual(predictions);
  });

  it('takes images as the body and as a form', async () => {
    for (const request of [raw('/score', PNG, { 'content-type': 'image/png' }), form('/score', 'f', PNG)]) {
      expect((await ask(request)).json).toEqual([digit]);
    }
  });

  it('takes the deployment for the version', async () => {
    const { json } = await score({ data: [SETOSA] }, { 'azureml-model-deployment': '1' });
    expect(json).toMatchObject([{ output_label: 'setosa' }]);
    expect(await score({ data: [SETOSA] }, { 'azureml-model-deployment': 'blue' })).toMatchObject({
      status: 404,
      json: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: expect.stringContaining('no version "blue"') },
    });
  });

  it('says which deployment has answered', async () => {
    const host = openApp({ DEFAULT_MODEL: 'iris', ENDPOINT_MODELS: 'blue=iris/1, green=digits' });
    const answeredBy = async (query: string, deployment?: string, body: unknown = { data: [SETOSA] }) => {
      const given = deployment === undefined ? {} : { 'azureml-model-deployment': deployment };
      const request = post(`/score${query}`, body);
      const { status, headers } = await host.send({ ...request, headers: { ...request.headers, ...given } });
      return [status, headers['azureml-model-deployment']];
    };
    expect(await answeredBy('')).toEqual([200, '2']);
    expect(await answeredBy('', '1')).toEqual([200, '1']);
    expect(await answeredBy('', 'blue')).toEqual([200, 'blue']);
    expect(await answeredBy('', 'green', { data: B64 })).toEqual([200, 'green']);
    // Here the query is the endpoint, and the header its deployment.
    expect(await answeredBy('?model_name=blue')).toEqual([200, '1']);
    expect(await answeredBy('?model_name=blue', '2')).toEqual([200, '2']);
    // Errors of the model have it, and those before any version is known do not.
    expect(await answeredBy('', 'blue', { data: [[1, 2]] })).toEqual([400, 'blue']);
    expect(await answeredBy('', '1', { data: [[1, 2]] })).toEqual([400, '1']);
    expect(await answeredBy('', '1', { data: 1, inputs: 2 })).toEqual([400, undefined]);
    expect(await answeredBy('', 'red')).toEqual([404, undefined]);
    await host.close();
  });

  it('answers named tensors with whole outputs', async () => {
    const folder = await makeRepository({
      both: {
        onnx: buildModel({
          nodes: [buildNode('Add', ['a', 'b'], ['sum']), buildNode('Mul', ['a', 'b'], ['product'])],
          inputs: [tensorValue('a', FLOAT, ['n']), tensorValue('b', FLOAT, ['m'])],
          outputs: [tensorValue('sum', FLOAT, ['k']), tensorValue('product', FLOAT, ['k'])],
        }),
      },
    });
    const host = openApp({ MODEL_REPOSITORY: folder });
    const { json } = await ask(post('/score', { input_data: { a: [1, 2], b: [3] } }), host);
    expect(json).toEqual({ sum: [4, 5], product: [3, 6] });
    await host.close();
  });

  it.each([
    [
      {},
      'The request is an object with no keys; expected "input_data", "data" or "Inputs", or "inputs" for texts.',
    ],
    [{ data: [], input_data: [] }, 'The request has "input_data" and "data"; expected only one of them.'],
    [{ data: [] }, expect.stringMatching(/^Field "data" is empty/)],
    [
      { input_data: { columns: COLUMNS, data: [[1]] } },
      'Field "input_data.data[0]" has 1 cells; expected 4.',
    ],
    [[1], 'The request is an array of 1; expected an object.'],
  ])('refuses %j', async (request, message) => {
    expect(await score(request)).toMatchObject({ status: 400, json: { message } });
  });

  it('refuses other types', async () => {
    expect(await ask(raw('/score', '1,2', { 'content-type': 'text/csv' }))).toMatchObject({
      status: 415,
      json: { error_code: 'UNSUPPORTED_MEDIA_TYPE', message: expect.stringContaining('"text/csv"') },
    });
  });

  it('answers with the health where nothing is to be scored', async () => {
    expect(await ask(get('/score'))).toMatchObject({ status: 200, json: { status: 'ok' } });
  });

  it('is the format of shared routes where it is pinned', async () => {
    const host = openApp({ DIALECT: 'azure-ml', AIP_PREDICT_ROUTE: '/any' });
    expect((await ask(post('/any', { input_data: [SETOSA] }), host)).json).toEqual([LOGITS]);
    await host.close();
  });
});

describe('headers of an answer', () => {
  it('give the time of the run and its success', async () => {
    const { headers } = await score({ data: [SETOSA] });
    expect(headers['x-ms-run-fn-exec-ms']).toMatch(/^\d+\.\d{3}$/);
    expect(headers['x-ms-run-function-failed']).toBe('False');
    expect(headers['x-ms-request-id']).toBe(headers['x-request-id']);
    expect(headers).not.toHaveProperty('x-ms-client-request-id');
  });

  it.each([
    [{ 'x-ms-client-request-id': 'c' }, 'c', 'c'],
    [{ 'x-ms-request-id': 'r' }, 'r', 'r'],
    [{ 'x-ms-request-id': 'r', 'x-ms-client-request-id': 'c' }, 'r', 'c'],
  ])('echo the ids %j, with an error too', async (given, id, clientId) => {
    for (const request of [{ data: [SETOSA] }, {}]) {
      const { headers } = await score(request, given);
      expect([headers['x-ms-request-id'], headers['x-ms-client-request-id']]).toEqual([id, clientId]);
    }
  });

  it.each(['x-request-id', 'x-ms-request-id', 'x-ms-client-request-id'])(
    'cannot echo an %s of more than 100 characters',
    async (name) => {
      expect((await score({ data: [SETOSA] }, { [name]: 'x'.repeat(100) })).status).toBe(200);
      const { status, json, headers } = await score({ data: [SETOSA] }, { [name]: 'x'.repeat(101) });
      expect({ status, message: json.message }).toEqual({
        status: 431,
        message: `Header ${name} has 101 characters; the limit is 100.`,
      });
      expect(headers['x-ms-run-function-failed']).toBe('False');
    },
  );

  it('say that a model failed', async () => {
    const folder = await makeRepository({ broken: { onnx: Buffer.from('no model') } });
    const host = openApp({ MODEL_REPOSITORY: folder });
    const { status, headers } = await ask(post('/score', { data: [[1]] }), host);
    expect([status, headers['x-ms-run-function-failed']]).toEqual([503, 'True']);
    await host.close();
  });
});
