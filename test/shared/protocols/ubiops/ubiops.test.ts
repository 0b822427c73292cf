import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { get, post, raw } from '../../../contracts/exchanges.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  INT64,
  identityModel,
  STRING,
  tensorValue,
} from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestRequest } from '../../../support/hosts/test-host.ts';
import { makeRepository } from '../../../support/make-repository.ts';
import { PROJECT } from '../../../support/project.ts';
import { replay } from '../../../support/recorded-requests.ts';

const B64 = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png')).toString('base64');
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const NAMED = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const LOGITS = [7.113542, -1.969219, -9.984419];
const DIGIT = expect.arrayContaining([expect.closeTo(3.3707, 4)]);
const path = (deployment: string) => `/v2.1/projects/p/deployments/${deployment}/requests`;

const app = openApp();
afterAll(() => app.close());

async function ask(request: TestRequest, host = app) {
  const { status, body } = await host.send(request);
  return { status, json: JSON.parse(body.toString()) };
}

describe('a request', () => {
  it('is answered with the run', async () => {
    const { status, json } = await ask(post(`${path('iris')}?timeout=60&priority=0`, NAMED));
    expect(status).toBe(200);
    expect(json).toEqual({
      id: 'host-id',
      deployment: 'iris',
      version: '2',
      status: 'completed',
      success: true,
      result: { logits: LOGITS },
      error_message: null,
      timeout: 60,
    });
  });

  it.each([
    ['features', 'iris', NAMED, { logits: LOGITS }],
    ['one instance of an input', 'iris', { features: SETOSA }, { logits: LOGITS }],
    ['a whole input', 'iris', { features: [SETOSA, SETOSA] }, { logits: [LOGITS, LOGITS] }],
    ['a list', 'iris', [NAMED, NAMED], [{ logits: LOGITS }, { logits: LOGITS }]],
    ['an image by the name of the input', 'digits', { image: B64 }, { logits: DIGIT }],
    ['an image by any name', 'digits', { photo: `data:image/png;base64,${B64}` }, { logits: DIGIT }],
    ['images in a field', 'digits', { photo: [B64, B64] }, { logits: [DIGIT, DIGIT] }],
    ['texts that are images', 'digits', [B64, B64], [{ logits: DIGIT }, { logits: DIGIT }]],
  ])('takes %s', async (_, deployment, body, result) => {
    expect((await ask(post(path(deployment), body))).json).toMatchObject({ success: true, result });
  });

  it('takes plain text, of any type', async () => {
    for (const headers of [{ 'content-type': 'text/plain' }, {}]) {
      expect((await ask(raw(path('digits'), B64, headers))).json.result).toEqual({ logits: DIGIT });
    }
    const folder = await makeRepository({ echo: { onnx: identityModel(STRING, ['n']) } });
    const host = openApp({ MODEL_REPOSITORY: folder });
    expect(
      (await ask(raw(path('echo'), 'söme text', { 'content-type': 'text/plain' }), host)).json.result,
    ).toEqual({
      y: 'söme text',
    });
    expect((await ask(post(path('echo'), 'söme text'), host)).json.result).toEqual({ y: 'söme text' });
    await host.close();
  });

  it('takes several inputs, and keeps the digits of 64-bit numbers', async () => {
    const folder = await makeRepository({
      whole: { onnx: identityModel(INT64, ['n', 1]) },
      pair: {
        onnx: buildModel({
          nodes: [buildNode('Add', ['a', 'b'], ['sum'])],
          inputs: [tensorValue('a', FLOAT, ['n', 2]), tensorValue('b', FLOAT, ['n', 1])],
          outputs: [tensorValue('sum', FLOAT, ['n', 2])],
        }),
      },
    });
    const host = openApp({ MODEL_REPOSITORY: folder });
    const one = await ask(post(path('pair'), { a: [1, 2], b: 10 }), host);
    expect(one.json.result).toEqual({ sum: [11, 12] });
    const whole = await ask(post(path('pair'), { a: [[1, 2]], b: [[10]] }), host);
    expect(whole.json.result).toEqual({ sum: [[11, 12]] });
    const { body } = await host.send(raw(path('whole'), '{"x": 9007199254740993}', {}));
    expect(body.toString()).toContain('"result":{"y":[9007199254740993]}');
    await host.close();
  });

  it('that fails in the model is a run that has failed', async () => {
    const { status, json } = await ask(post(path('iris'), { features: [1, 2] }));
    expect(status).toBe(200);
    expect(json).toEqual({
      id: 'host-id',
      deployment: 'iris',
      version: '2',
      status: 'failed',
      success: false,
      result: null,
      error_message: 'Input "features" has the shape [1,2]; expected [-1,4], where -1 is any size.',
      timeout: 300,
    });
  });

  it.each([
    [post(path('iris'), { colour: 'red' }), 400, /it lacks "sepal_length"/],
    [post(path('iris'), []), 400, / is empty/],
    [post(path('iris'), 'text'), 400, /is the string "text"/],
    [
      post(path('digits'), { photo: 'ubiops-file://b/7.png' }),
      400,
      /"photo" is a file in the storage of UbiOps/,
    ],
    [post(path('digits'), { photo: ['ubiops-file://b/7.png'] }), 400, /"photo" is a file in the storage/],
    [
      raw(path('iris'), 'x', { 'content-type': 'image/png' }),
      415,
      /accepted types are application\/json and text\/plain/,
    ],
    [
      post(`${path('iris')}?timeout=3601`, NAMED),
      400,
      /"timeout" is the string "3601"; expected a whole number/,
    ],
    [post(`${path('iris')}?timeout=soon`, NAMED), 400, /"timeout" is the string "soon"/],
    [post(`${path('iris')}?priority=2`, NAMED), 400, /"priority" is the string "2"; expected 0 or 1/],
    [post(path('rose'), NAMED), 404, /There is no model "rose"/],
    [post('/v2.1/projects/p/deployments/iris/versions/9/requests', NAMED), 404, /has no version "9"/],
  ])('with a mistake is refused: %#', async (request, status, message) => {
    const answer = await ask(request);
    expect([answer.status, answer.json.error]).toEqual([status, expect.stringMatching(message)]);
    expect(answer.json.error_message).toBe(answer.json.error);
  });

  it.each([
    get(path('iris')),
    get(`${path('iris')}/id-1`),
    get(`${path('iris')}/id-1/output`),
    post(`${path('iris')}/batch`, [NAMED]),
    post('/v2.1/projects/p/deployments/iris/versions/1/requests/collect', ['id-1']),
  ])('is not stored: $method $path', async (request) => {
    expect(await ask(request)).toMatchObject({ status: 501, json: { error_code: 'NOT_IMPLEMENTED' } });
  });
});

describe('a request to a pipeline', () => {
  const pipeline = '/v2.1/projects/p/pipelines/iris';

  it('goes to the model of its name', async () => {
    const { status, json } = await ask(post(`${pipeline}/requests?timeout=7200`, NAMED));
    expect([status, json]).toEqual([
      200,
      {
        id: 'host-id',
        pipeline: 'iris',
        version: '2',
        status: 'completed',
        success: true,
        result: { logits: LOGITS },
        error_message: null,
        pipeline_timeout: 7200,
        deployment_requests: [],
        operator_requests: [],
        pipeline_requests: [],
      },
    ]);
    const older = await ask(post(`${pipeline}/requests?pipeline_timeout=60`, [NAMED]));
    expect([older.json.pipeline_timeout, older.json.result]).toEqual([60, [{ logits: LOGITS }]]);
  });

  it('to a version of it goes to that version', async () => {
    const { json } = await ask(post(`${pipeline}/versions/1/requests`, NAMED));
    expect(json).toMatchObject({ version: '1', result: { output_label: 'setosa' }, pipeline_timeout: 3600 });
  });

  it.each([
    [post('/v2.1/projects/p/pipelines/rose/requests', NAMED), 404, /There is no model "rose"/],
    [post(`${pipeline}/requests?timeout=7201`, NAMED), 400, /expected a whole number from 1 to 7200/],
    [post(`${pipeline}/requests/batch`, [NAMED]), 501, /answered at once and not stored/],
    [get(`${pipeline}/versions/1/requests/id-1`), 501, /answered at once and not stored/],
  ])('with a mistake is refused: %#', async (request, status, message) => {
    const answer = await ask(request);
    expect([answer.status, answer.json.error]).toEqual([status, expect.stringMatching(message)]);
  });
});

describe("what UbiOps' client for Python sends", () => {
  it('gets the answers it expects', async () => {
    const answers = await replay('ubiops', app);
    const completed = { status: 'completed', success: true, error_message: null };
    expect(answers['request with features']?.json).toMatchObject({
      ...completed,
      timeout: 60,
      result: { logits: LOGITS },
    });
    expect(answers['request with an input']?.json).toMatchObject({
      ...completed,
      result: { logits: [LOGITS] },
    });
    expect(answers.requests?.json.result).toEqual([{ logits: LOGITS }, { logits: LOGITS }]);
    expect(answers['request of a version']?.json).toMatchObject({
      version: '1',
      result: { output_label: 'setosa' },
    });
    expect(answers['request with a text']?.json.result).toEqual({ logits: DIGIT });
    expect(answers['request with an image']?.json.result).toEqual({ logits: DIGIT });
    expect(answers['request that fails']).toMatchObject({ status: 200, json: { status: 'failed' } });
    const refused = Object.entries(answers).filter(([, { status }]) => status !== 200);
    expect(refused.map(([call, { status }]) => [call, status])).toEqual([
      ['request with an unknown field', 400],
      ['request with a file', 400],
      ['request to an unknown deployment', 404],
      ['request with too long a timeout', 400],
      ['batch', 501],
      ['get', 501],
      ['list', 501],
      ['delete', 501],
    ]);
  });
});
