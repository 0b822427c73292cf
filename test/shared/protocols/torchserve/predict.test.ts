import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { get, post, raw } from '../../../contracts/exchanges.ts';
import { ask } from '../../../support/ask.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  INT64,
  identityModel,
  STRING,
  tensorValue,
} from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { readRecording } from '../../../support/hosts/read-recording.ts';
import { makeRepository } from '../../../support/make-repository.ts';
import { serveModels } from '../../../support/serve-models.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const PNG = readFileSync(join(import.meta.dirname, '../../../fixtures/digits/07-label-7.png'));
const B64 = PNG.toString('base64');
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const VIRGINICA = [6.3, 3.3, 6.0, 2.5];
const app = openApp({ MAX_JSON_DEPTH: '32' });
const sent = readRecording('torchserve');

/** As the model is known to see the image, best first. */
const SEVEN =
  '{"7":0.7922848805192955,"2":0.11083214631199903,"0":0.03342541894903185,"8":0.026460577236203674,"9":0.01282619368252836}';

const predict = async (body: unknown, model = 'digits') =>
  await ask(app, post(`/predictions/${model}`, body));

describe('an image', () => {
  it.each([
    'curl -T',
    'curl -F data',
    'curl --data-binary',
    'curl --data-urlencode',
    'requests, files',
    'requests, data',
    'requests, a form',
    'requests, json',
  ])('sent by %s gets its five best labels in descending order', async (call) => {
    const { status, headers, text } = await ask(app, sent(call));
    expect([status, headers['content-type'], text]).toEqual([200, 'application/json', SEVEN]);
  });

  it.each<[string, unknown]>([
    ['body', { body: B64 }],
    ['data with a target', { data: B64, target: 3 }],
    ['b64 under data', { data: { b64: B64 } }],
    ['a text alone', B64],
  ])('is taken from JSON as %s', async (_, body) => {
    expect((await predict(body)).text).toBe(SEVEN);
  });

  it('is taken from base64 whose plus signs were not escaped', async () => {
    const body = `data=${Buffer.concat([PNG, Buffer.from('~~~>>>')]).toString('base64')}`;
    expect(body).toContain('+');
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await ask(app, raw('/predictions/digits', body, type))).text).toBe(SEVEN);
  });

  it('among several gets its answer in its place', async () => {
    expect((await ask(app, sent('requests, two files'))).text).toBe(`[${SEVEN},${SEVEN}]`);
    expect((await predict({ data: [B64, { b64: B64 }] })).text).toBe(`[${SEVEN},${SEVEN}]`);
    expect((await predict([B64])).text).toBe(`[${SEVEN}]`);
  });

  it("in KServe's envelope is answered in it", async () => {
    const { text } = await predict({ instances: [{ data: B64 }, { body: B64 }] });
    expect(text).toBe(`{"predictions":[${SEVEN},${SEVEN}]}`);
  });

  it('can come as numbers, which skip the preprocessing', async () => {
    const dark = Array.from({ length: 8 }, () => new Array(8).fill(0));
    const one = await predict({ data: [dark] });
    const batch = await predict({ data: [[dark], [dark]] });
    // Keys that are digits lose their order when JavaScript reads them.
    const probabilities = [...one.text.matchAll(/:([\d.e-]+)/g)].map(([, digits]) => Number(digits));
    expect(probabilities).toHaveLength(5);
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
    expect(batch.json).toEqual([one.json, one.json]);
    expect((await predict({ instances: [{ data: [dark] }] })).json).toEqual({ predictions: [one.json] });
  });

  it.each<[string, unknown, string]>([
    ['is not base64', { data: '*' }, expect.stringMatching(/^Field "data" is not base64/)],
    [
      'is not base64 in a list',
      { data: [B64, 1] },
      'Field "data[1]" is the number 1; expected an image in base64, as {"b64": "…"}.',
    ],
    [
      'is a number',
      { data: 1 },
      'Field "data" is the number 1; expected an image in base64, as {"b64": "…"}.',
    ],
    [
      'is an object of other members',
      { x: 1 },
      'Field "body" is an object with the keys "x"; expected an image in base64, as {"b64": "…"}.',
    ],
    ['is missing from an envelope', { instances: [] }, expect.stringMatching(/^Field "instances" is empty/)],
    [
      'has ragged pixels',
      { data: [[[1, 2], [3]]] },
      'Field "data[0][1]" is an array of 1; expected an array of 2, like "data[0][0]".',
    ],
    [
      'has pixels of another shape',
      { data: [[[1, 2]]] },
      'Input "image" has the shape [1,1,1,2]; expected [-1,1,8,8], where -1 is any size.',
    ],
    [
      'has a text among its pixels',
      { instances: [{ data: [[[1, 'a']]] }] },
      'Field "instances[0].data[0][0][1]" is the string "a"; expected a number.',
    ],
  ])('is refused when it %s', async (_, body, message) => {
    const { status, json } = await predict(body);
    expect([status, json.error, json.message, json.code]).toEqual([400, message, message, 400]);
  });

  it('is refused when its bytes are not an image', async () => {
    const { status, json } = await ask(app, raw('/predictions/digits', 'hello', {}));
    expect([status, json.error]).toEqual([415, expect.stringMatching(/^Field "body" is not an image/)]);
  });

  it('is refused beyond the limit of a batch', async () => {
    const { status, json } = await predict({ data: new Array(51).fill(B64) });
    expect([status, json.error]).toEqual([
      413,
      'Field "data" has 51 instances; the limit is 50 (MAX_BATCH_SIZE).',
    ]);
  });
});

describe('a form', () => {
  const send = async (form: FormData, model = 'digits') => {
    const response = new Response(form);
    const headers = { 'content-type': response.headers.get('content-type') ?? '' };
    return await ask(app, raw(`/predictions/${model}`, Buffer.from(await response.arrayBuffer()), headers));
  };
  const formOf = (...fields: [string, string | Blob][]) => {
    const form = new FormData();
    for (const [name, value] of fields) form.append(name, value);
    return form;
  };
  const file = new Blob([PNG]);

  it('is read by the names handlers look for, or by its files', async () => {
    expect((await send(formOf(['note', 'x'], ['data', file]))).text).toBe(SEVEN);
    expect((await send(formOf(['body', B64]))).text).toBe(SEVEN);
    expect((await send(formOf(['note', 'x'], ['image', file], ['other', file]))).text).toBe(
      `[${SEVEN},${SEVEN}]`,
    );
  });

  it('can hold JSON, in a field or a file', async () => {
    const json = JSON.stringify({ data: SETOSA });
    expect((await send(formOf(['data', json]), 'iris')).json).toEqual(['setosa']);
    expect((await send(formOf(['data', new Blob([JSON.stringify([SETOSA])])]), 'iris')).json).toEqual([
      'setosa',
    ]);
  });

  it('is refused when it holds none of these', async () => {
    const { status, json } = await send(formOf(['note', 'x'], ['more', 'y']));
    expect([status, json.error]).toEqual([
      400,
      'The form has no field "data" (its fields: "note", "more"), and no file.',
    ]);
  });
});

describe('features', () => {
  it.each<[string, unknown, unknown]>([
    ['a list', { data: SETOSA }, ['setosa']],
    ['a list of lists', { data: [SETOSA, VIRGINICA] }, ['setosa', 'virginica']],
    ['the body itself', [VIRGINICA, SETOSA], ['virginica', 'setosa']],
    [
      'an object by name',
      { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 },
      ['setosa'],
    ],
    ['an envelope', { instances: [{ data: SETOSA }, VIRGINICA] }, { predictions: ['setosa', 'virginica'] }],
  ])('as %s get a list of predictions', async (_, body, answer) => {
    expect((await predict(body, 'iris')).json).toEqual(answer);
  });

  it('sent by requests get a list of predictions', async () => {
    expect((await ask(app, sent('requests, rows'))).json).toEqual(['setosa', 'virginica']);
  });

  it.each<[unknown, string]>([
    [{ data: [SETOSA, [1]] }, 'Field "data[1]" has 1 value; expected 4 numbers'],
    [
      { instances: [{ data: ['a', 1, 1, 1] }] },
      'Field "instances[0].data[0]" (sepal_length) is the string "a"; expected a number',
    ],
    [{ rows: 1 }, 'Field "body" has unknown features "rows"; expected 4 numbers'],
  ])('are refused with their place: %j', async (body, message) => {
    const { status, json } = await predict(body, 'iris');
    expect([status, json.error]).toEqual([400, expect.stringContaining(message)]);
  });

  it('are not images', async () => {
    const { status, json } = await ask(app, raw('/predictions/iris', PNG, {}));
    expect([status, json.error]).toEqual([
      400,
      'Field "body" is not JSON; this model takes features, as {"data": [...]}.',
    ]);
  });
});

describe('a regression', () => {
  it('gets a list of numbers', async () => {
    const model = buildModel({
      nodes: [buildNode('MatMul', ['x', 'weights'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n', 2])],
      outputs: [tensorValue('y', FLOAT, ['n', 1])],
      initializers: [floatInitializer('weights', [2, 1], [2, 2])],
    });
    const folder = await makeFolder({
      'line/1/model.onnx': model,
      'line/1/model.json': JSON.stringify({ task: 'tabular-regression' }),
    });
    const host = openApp({ MODEL_REPOSITORY: folder });
    onTestFinished(() => host.close());
    expect(
      (
        await ask(
          host,
          post('/predictions/line', [
            [1, 2],
            [3, 4.5],
          ]),
        )
      ).json,
    ).toEqual([6, 15]);
  });
});

describe('tensors', () => {
  const sum = buildModel({
    nodes: [buildNode('Add', ['a', 'b'], ['total']), buildNode('Identity', ['a'], ['first'])],
    inputs: [tensorValue('a', FLOAT, ['n', 2]), tensorValue('b', FLOAT, ['n', 2])],
    outputs: [tensorValue('total', FLOAT, ['n', 2]), tensorValue('first', FLOAT, ['n', 2])],
  });
  const models = {
    matrix: identityModel(FLOAT, ['n', 3]),
    whole: identityModel(INT64, ['n', 1]),
    texts: identityModel(STRING, ['n']),
    sum,
  };
  const text = async (model: string, request: string, type = 'application/json') => {
    const host = await serveModels(models, { MAX_JSON_DEPTH: '32' });
    return (await ask(host, raw(`/predictions/${model}`, request, { 'content-type': type }))).text;
  };

  it.each([
    ['one instance', 'matrix', '{"data":[1,2,3]}', '[1.0,2.0,3.0]'],
    ['a batch', 'matrix', '{"data":[[1,2,3],[4,5,6]]}', '[[1.0,2.0,3.0],[4.0,5.0,6.0]]'],
    ['an envelope', 'matrix', '{"instances":[[1,2,3]]}', '{"predictions":[[1.0,2.0,3.0]]}'],
    ['a column', 'whole', '[1,9007199254740993]', '[[1],[9007199254740993]]'],
    ['texts', 'texts', '["a","b"]', '["a","b"]'],
    ['a text', 'texts', '{"data":"a"}', '"a"'],
    ['several inputs', 'sum', '{"a":[[1,2]],"b":[[3,4]]}', '{"total":[[4.0,6.0]],"first":[[1.0,2.0]]}'],
    [
      'several inputs in an envelope',
      'sum',
      '{"instances":[{"a":[1,2],"b":[3,4]}]}',
      '{"predictions":[{"total":[4.0,6.0],"first":[1.0,2.0]}]}',
    ],
  ])('as %s get nested lists', async (_, model, request, answer) => {
    expect(await text(model, request)).toBe(answer);
  });

  it('can be plain text', async () => {
    expect(await text('texts', 'some words', 'text/plain')).toBe('"some words"');
  });

  it('are refused with their place', async () => {
    expect(JSON.parse(await text('matrix', '{"instances":[{"data":[1,2,3]},{"data":[1,2]}]}')).error).toBe(
      'Field "instances[1].data" is an array of 2; expected an array of 3, like "instances[0].data".',
    );
    expect(JSON.parse(await text('matrix', '{"data":[1,2]}')).error).toBe(
      'Input "x" has the shape [1,2]; expected [-1,3], where -1 is any size.',
    );
  });
});

describe('a path', () => {
  it.each(['/predictions/iris/1', '/iris/predict', '/iris/1/predict', '/predictions/iris/'])(
    'works as %s',
    async (path) => {
      expect((await ask(app, post(path, SETOSA))).json).toEqual(['setosa']);
    },
  );

  it.each([
    ['/predictions/rose', 404, 'ModelNotFoundException'],
    ['/predictions/iris/9', 404, 'ModelNotFoundException'],
    ['/rose/predict', 404, 'ModelNotFoundException'],
    ['/explanations/iris', 501, 'NotImplementedException'],
    ['/explanations/iris/1', 501, 'NotImplementedException'],
  ])('%s is refused with %d and the members TorchServe has', async (path, code, type) => {
    const { status, headers, json } = await ask(app, post(path, SETOSA));
    expect(status).toBe(code);
    expect(json).toMatchObject({ code, type, message: expect.any(String) });
    expect(headers['x-request-id']).toBe('host-id');
  });

  it('of ours is not taken by the older ones of TorchServe', async () => {
    expect((await ask(app, post('/models/iris/predict', { features: SETOSA }))).json).toMatchObject({
      prediction: 'setosa',
      model: 'iris',
    });
  });

  it('describes its methods', async () => {
    const { status, headers } = await ask(app, { ...get('/predictions/iris'), method: 'OPTIONS' });
    expect([status, headers.allow]).toEqual([204, 'POST, PUT, OPTIONS']);
    expect((await ask(app, get('/predictions/iris'))).status).toBe(405);
  });

  it('without a body is refused', async () => {
    const { status, json } = await ask(app, raw('/predictions/iris', '', {}));
    expect([status, json.error]).toEqual([400, 'The request body is empty.']);
  });

  it('is not there when the protocol is switched off', async () => {
    const host = openApp({ PROTOCOLS: 'ternion' });
    for (const path of ['/predictions/iris', '/iris/predict', '/explanations/iris']) {
      expect((await ask(host, post(path, SETOSA))).status).toBe(404);
    }
  });
});

describe('the answer', () => {
  it('says how long the model ran', async () => {
    const { headers } = await ask(app, sent('curl -T'));
    expect(headers['server-timing']).toMatch(/^load;dur=[\d.]+, run;dur=[\d.]+, total;dur=[\d.]+$/);
  });
});

describe('texts', () => {
  it.each<[unknown, string]>([
    [[], 'body'],
    [{ data: [] }, 'data'],
    [{ instances: [[]] }, 'instances[0]'],
  ])('are refused where %j holds none', async (body, field) => {
    const folder = await makeRepository({});
    await cp(
      join(import.meta.dirname, '../../../fixtures/formats/optimum/bert-features'),
      join(folder, 'bert/1'),
      {
        recursive: true,
      },
    );
    const host = openApp({ MODEL_REPOSITORY: folder });
    const { status, json } = await ask(host, post('/predictions/bert', body));
    expect([status, json.error]).toEqual([400, `Field "${field}" is empty; expected at least one text.`]);
  });
});
