import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../../../shared/tensor/npy.ts';
import { readNpz, writeNpz } from '../../../../shared/tensor/npz.ts';
import { createTensor } from '../../../../shared/tensor/tensor.ts';
import { form } from '../../../contracts/exchanges.ts';
import { FLOAT, INT64, identityModel, STRING, twoInputModel } from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { PROJECT } from '../../../support/project.ts';
import { serveModels } from '../../../support/serve-models.ts';
import { arrayOf, ask, errorOf, jsonOf, textOf } from './ask.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const SETOSA = '5.1,3.5,1.4,0.2';
const VIRGINICA = '6.3,3.3,6.0,2.5';
/** What the live iris model gives for the two. */
const LOGITS = [
  [7.113542, -1.969219, -9.984419],
  [-8.38984, -2.580314, 9.099979],
];
const [FIRST = []] = LOGITS;
const JSON_TYPE = 'application/json';
const LINES = 'application/jsonlines';
const NPY = 'application/x-npy';
const OPTIONS = { field: 'answer', elementLimit: 1e6, byteLimit: 1e6 };

let host: TestHost;
beforeAll(() => {
  host = openApp();
});
afterAll(() => host.close());

const iris = (body: string | Uint8Array, type: string, accept?: string) =>
  ask(host, '/models/iris/invoke', body, { 'content-type': type, ...(accept && { accept }) });

describe('a request of a type', () => {
  const matrix = createTensor('FP64', [2, 4], [5.1, 3.5, 1.4, 0.2, 6.3, 3.3, 6.0, 2.5]);
  const named = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
  const other = { petal_width: 2.5, petal_length: 6.0, sepal_width: 3.3, sepal_length: 6.3 };

  it.each<[string, string, string | Uint8Array]>([
    ['text/csv', 'two rows', `${SETOSA}\n${VIRGINICA}`],
    ['text/csv', 'two rows of Windows', `\ufeff${SETOSA}\r\n${VIRGINICA}\r\n`],
    ['text/csv; charset=utf-8', 'quotes', `"5.1",3.5,"1.4",0.2\n${VIRGINICA}`],
    ['text/csv;label_size=1', 'a label in front', `0,${SETOSA}\n2,${VIRGINICA}`],
    ['text/csv; charset=ISO-8859-1', 'ASCII under a larger charset', `${SETOSA}\n${VIRGINICA}`],
    ['application/json; charset=', 'a charset without a name', `[[${SETOSA}],[${VIRGINICA}]]`],
    ['application/json; charset=us-ascii', 'ASCII', `[[${SETOSA}],[${VIRGINICA}]]`],
    [`${NPY}; charset=utf-16`, 'an array, which has no charset', writeNpy(matrix)],
    [LINES, 'lists', `[${SETOSA}]\n[${VIRGINICA}]\n`],
    ['application/x-ndjson', 'features', `{"features": [${SETOSA}]}\r\n{"features": [${VIRGINICA}]}`],
    ['application/jsons', 'values', `{"data":{"features":{"values":[${SETOSA}]}}}\n[${VIRGINICA}]`],
    ['Application/JSONLines', 'names', `${JSON.stringify(named)}\n\n${JSON.stringify(other)}`],
    [JSON_TYPE, 'a list', `[[${SETOSA}],[${VIRGINICA}]]`],
    [JSON_TYPE, 'lists one after the other', `[${SETOSA}] [${VIRGINICA}]`],
    ['', 'a list without a type', `[[${SETOSA}],[${VIRGINICA}]]`],
    [NPY, 'an array', writeNpy(matrix)],
    ['application/octet-stream', 'an array as bytes', writeNpy(matrix)],
  ])('%s is taken: %s', async (type, _, body) => {
    expect(await jsonOf(iris(body, type))).toEqual(LOGITS);
  });

  it.each<[string, string]>([
    ['a list of numbers', `[${SETOSA}]`],
    ['objects by name', JSON.stringify([named])],
  ])('application/json is one instance where it is %s', async (_, body) => {
    expect(await jsonOf(iris(body, JSON_TYPE))).toEqual([FIRST]);
  });

  it.each([
    [`{"instances": [{"features": [${SETOSA}]}]}`],
    [`{"instances": [{"data": {"features": {"values": [${SETOSA}]}}}]}`],
    [`{"instances": [[${SETOSA}]]}`],
  ])('application/json with %s has predictions under their name', async (body) => {
    expect(await jsonOf(iris(body, JSON_TYPE))).toEqual({ predictions: [FIRST] });
  });

  it('application/x-npz gives each input its array, or the only input the only one', async () => {
    const app = await serveModels({ two: twoInputModel(), one: identityModel(INT64, ['n', 2]) });
    const [a, b] = [createTensor('FP32', [2], [1, 2]), createTensor('FP32', [2], [10, 20])];
    const type = { 'content-type': 'application/x-npz' };
    expect(
      await jsonOf(
        ask(
          app,
          '/models/two/invoke',
          await writeNpz(
            new Map([
              ['b', b],
              ['a', a],
            ]),
          ),
          type,
        ),
      ),
    ).toEqual([11, 22]);
    const only = await writeNpz(new Map([['arr_0', createTensor('INT64', [1, 2], [1, 2])]]));
    expect(await jsonOf(ask(app, '/models/one/invoke', only, {}))).toEqual([[1, 2]]);
    expect(
      await errorOf(
        ask(
          app,
          '/models/two/invoke',
          await writeNpz(
            new Map([
              ['x', a],
              ['b', b],
            ]),
          ),
          type,
        ),
      ),
    ).toEqual([400, 'There is no input "x"; the model takes "a", "b".']);
  });

  it.each(['text/csv', 'text/csv; header=present'])(
    '%s with names takes its columns in any order',
    async (type) => {
      const names = Object.keys(other).join();
      const body = `${names}\n0.2,1.4,3.5,5.1\n${Object.values(other).join()}`;
      const [, text] = await textOf(iris(body, type, LINES));
      expect(
        text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ).toEqual(LOGITS);
    },
  );

  it('text/csv feeds several inputs in their order', async () => {
    const app = await serveModels({ two: twoInputModel() });
    expect(
      await jsonOf(ask(app, '/models/two/invoke', '1,10\n2,20', { 'content-type': 'text/csv' })),
    ).toEqual([11, 22]);
  });

  it('text/csv and lines keep whole numbers of 64 bits', async () => {
    const app = await serveModels({ m: identityModel(INT64, ['n', 2]) });
    const ends = '-9223372036854775808,9223372036854775807';
    for (const [body, type] of [
      [ends, 'text/csv'],
      [`[${ends}]\n[1,2]`, LINES],
      [`[[${ends}]]`, JSON_TYPE],
    ] as const) {
      const answer = await ask(app, '/models/m/invoke', body, { 'content-type': type });
      expect(answer.body.toString()).toContain(`[${ends}]`);
    }
  });

  it('text/csv has texts for a model that takes them, quoted again on their way out', async () => {
    const app = await serveModels({ m: identityModel(STRING, ['n', 2]) });
    const body = '"a,b",7\n"say ""x""", ü \n';
    const headers = { 'content-type': 'text/csv', accept: 'text/csv' };
    expect(await textOf(ask(app, '/models/m/invoke', body, headers))).toEqual(['text/csv', body]);
  });

  it.each([
    [
      'application/x-recordio-protobuf',
      /^Unsupported Media Type: application\/x-recordio-protobuf; accepted types are application\/json, /,
    ],
    ['application/x-recordio-protobuf', /^Unsupported Media Type: application\/x-recordio-protobuf; /],
    ['', /^Unsupported Media Type: a body without a Content-Type; /],
  ])('%s is refused', async (type, message) => {
    const [status, error] = await errorOf(iris('1:0.5', type));
    expect(status).toBe(415);
    expect(error).toMatch(message);
  });
});

describe('a text in another charset', () => {
  const latin = (text: string) => Buffer.from(text, 'latin1');

  it.each<[string, string, Uint8Array]>([
    ['text/csv', 'iso-8859-1', latin('5.1,3.5,1.4,\xfc')],
    ['text/libsvm', 'iso-8859-1', latin('0:1 # \xfc')],
    [LINES, 'windows-1252', latin('["\xfc"]')],
    [JSON_TYPE, 'iso-8859-1', latin('{"instances": ["\xfc"]}')],
    ['application/vnd.api+json', 'shift_jis', latin('{}')],
    ['application/x-www-form-urlencoded', 'utf-16', Buffer.from(`[${SETOSA}]`, 'utf16le')],
    ['text/plain', 'UTF-16', Buffer.from('good', 'utf16le')],
    ['text/csv', 'utf-32', latin(SETOSA)],
  ])('is refused as %s', async (type, charset, body) => {
    const [status, error] = await errorOf(iris(body, `${type}; charset="${charset}"`));
    const shown = charset.toLowerCase();
    expect([status, error]).toEqual([415, `The charset "${shown}" is not accepted; send UTF-8.`]);
  });

  it.each([
    '/v1/models/iris:predict',
    '/v2/models/iris/infer',
    '/hf/iris',
    '/score?model_name=iris',
    '/invocations?model_name=iris',
    '/predictions/iris',
    '/models/iris/predict',
  ])('is refused on the route %s', async (path) => {
    const body = latin('{"instances": ["\xfc"], "inputs": ["\xfc"]}');
    const headers = { 'content-type': 'application/json; charset=iso-8859-1' };
    const { status, body: answer } = await ask(host, path, body, headers);
    expect([status, answer.toString()]).toEqual([
      415,
      expect.stringContaining('The charset \\"iso-8859-1\\" is not accepted; send UTF-8.'),
    ]);
  });
});

describe('an answer of a type', () => {
  const rows = `${SETOSA}\n${VIRGINICA}`;

  it.each([
    [undefined, JSON_TYPE, `${JSON.stringify(LOGITS)}`],
    ['*/*', JSON_TYPE, JSON.stringify(LOGITS)],
    ['text/csv', 'text/csv', LOGITS.map((row) => `${row}\n`).join('')],
    [LINES, LINES, LOGITS.map((row) => `${JSON.stringify(row)}\n`).join('')],
    [
      'application/x-ndjson',
      'application/x-ndjson',
      LOGITS.map((row) => `${JSON.stringify(row)}\n`).join(''),
    ],
    ['application/json;q=0.1, text/csv', 'text/csv', LOGITS.map((row) => `${row}\n`).join('')],
  ])('%s is %s', async (accept, type, text) => {
    expect(await textOf(iris(rows, 'text/csv', accept))).toEqual([type, text]);
  });

  it.each([
    ['text/csv', rows],
    [JSON_TYPE, `{"instances": [[${SETOSA}],[${VIRGINICA}]]}`],
    [NPY, writeNpy(createTensor('FP32', [2, 4], [5.1, 3.5, 1.4, 0.2, 6.3, 3.3, 6.0, 2.5]))],
  ])('application/x-npy is an array, for each type of request: %s', async (type, body) => {
    const { datatype, shape, data } = await arrayOf(iris(body, type, NPY));
    expect([datatype, shape]).toEqual(['FP32', [2, 3]]);
    expect(Number(data[0])).toBeCloseTo(7.113542, 5);
  });

  it('has all outputs of a model by name, side by side, or in an archive', async () => {
    const forest = (accept: string) =>
      ask(host, '/endpoints/iris/invocations', rows, {
        'content-type': 'text/csv',
        accept,
        'x-amzn-sagemaker-target-variant': '1',
      });
    expect(await jsonOf(forest(JSON_TYPE))).toEqual([
      { output_label: 'setosa', output_probability: [0.99999934, 0, 0] },
      { output_label: 'virginica', output_probability: [0, 0.02, 0.97999936] },
    ]);
    expect(await textOf(forest('text/csv'))).toEqual([
      'text/csv',
      'setosa,0.99999934,0,0\nvirginica,0,0.02,0.97999936\n',
    ]);
    const archive = await forest('application/x-npz');
    const arrays = await readNpz(archive.body, OPTIONS);
    expect(arrays.get('output_label')?.read()).toEqual({
      datatype: 'BYTES',
      shape: [2],
      data: ['setosa', 'virginica'],
    });
    expect(await errorOf(forest(NPY))).toEqual([
      424,
      'The model has the outputs "output_label", "output_probability", which one array (application/x-npy) cannot hold; ' +
        'ask for application/x-npz or application/json.',
    ]);
  });

  it('has NaN and infinity as null in JSON, as words in CSV, and as they are in an array', async () => {
    const app = await serveModels({ m: identityModel(FLOAT, ['n', 2]) });
    const send = (accept: string) =>
      ask(app, '/models/m/invoke', ',-inf', { 'content-type': 'text/csv', accept });
    expect((await textOf(send(JSON_TYPE)))[1]).toBe('[[null,null]]');
    expect((await textOf(send(LINES)))[1]).toBe('[null,null]\n');
    expect((await textOf(send('text/csv')))[1]).toBe('NaN,-Infinity\n');
    expect((await arrayOf(send(NPY))).data).toEqual(Float32Array.from([Number.NaN, -Infinity]));
  });

  it('that is not supported is refused before the model runs', async () => {
    const [status, error] = await errorOf(iris('nonsense', 'text/csv', 'application/x-recordio-protobuf'));
    expect(status).toBe(406);
    expect(error).toMatch(
      /^The request accepts only "application\/x-recordio-protobuf"; an answer can be application\/json, /,
    );
  });
});

describe('an image', () => {
  const send = (headers: Readonly<Record<string, string>>, body: Uint8Array = PNG) =>
    ask(host, '/models/digits/invoke', body, headers);

  it.each(['image/png', 'image/jpeg', 'application/x-image', 'application/octet-stream', ''])(
    'of type %s gets its five best labels',
    async (type) => {
      const labels = await jsonOf(send({ 'content-type': type }));
      expect(labels).toHaveLength(5);
      expect(labels[0]).toEqual({ label: '7', score: expect.closeTo(0.79228, 4) });
      expect(labels[1]).toEqual({ label: '2', score: expect.closeTo(0.11083, 4) });
    },
  );

  it('in a form gets its labels, several get a list each', async () => {
    const { body, headers } = form('/invocations', 'anything', PNG);
    expect((await jsonOf(send(headers, body)))[0].label).toBe('7');
    const boundary = /boundary=(.*)/.exec(headers['content-type'] ?? '')?.[1] ?? '';
    const one = body.subarray(0, body.length - Buffer.byteLength(`--${boundary}--\r\n`));
    const labels = await jsonOf(send(headers, Buffer.concat([one, body])));
    expect(labels).toHaveLength(2);
    expect(labels[1][0].label).toBe('7');
  });

  it('gets the outputs of the model where no JSON is asked for', async () => {
    expect((await arrayOf(send({ accept: NPY }))).shape).toEqual([1, 10]);
    expect((await textOf(send({ accept: 'text/csv' })))[1].split(',')).toHaveLength(10);
    const [type, text] = await textOf(send({ accept: LINES }));
    expect([type, JSON.parse(text)[0].label, text.indexOf('\n')]).toEqual([LINES, '7', text.length - 1]);
  });

  it('in base64 in JSON, in lines or in a table gets the outputs of the model', async () => {
    const base64 = PNG.toString('base64');
    const logits = [expect.arrayContaining([expect.closeTo(3.3707, 3)])];
    const bodies = [
      [JSON.stringify([base64]), JSON_TYPE],
      [JSON.stringify(base64), LINES],
      [JSON.stringify({ image: base64 }), LINES],
      [base64, 'text/csv'],
    ] as const;
    for (const [body, type] of bodies) {
      expect(await jsonOf(send({ 'content-type': type }, Buffer.from(body)))).toEqual(logits);
    }
  });

  it('for a model of numbers is refused', async () => {
    expect(await errorOf(iris(PNG, 'image/png'))).toEqual([
      400,
      'The request brings an image, as a file or as {"image": "<base64>"}; this model takes features, as {"features": [...]}.',
    ]);
  });
});
