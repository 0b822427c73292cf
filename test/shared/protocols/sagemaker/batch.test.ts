import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildModel,
  buildNode,
  FLOAT,
  INT64,
  identityModel,
  int64Initializer,
  integerAttribute,
  tensorValue,
} from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { serveModels } from '../../../support/serve-models.ts';
import { ask, errorOf, jsonOf, textOf } from './ask.ts';

const NO_LINES = 'The request body has no lines; expected one instance per line.';
/** MAX_BATCH_SIZE of the tests. */
const PORTION = 50;
const CSV = { 'content-type': 'text/csv', accept: 'text/csv' };
const LINES = { 'content-type': 'application/jsonlines', accept: 'application/jsonlines' };

const rows = (count: number) => Array.from({ length: count }, (_, i) => [i, i + 0.5]);
const linesOf = (text: string) => text.replace(/\n$/, '').split('\n');

let host: TestHost;
beforeAll(() => {
  host = openApp();
});
afterAll(() => host.close());

const serveIdentity = () =>
  serveModels({ m: identityModel(FLOAT, ['n', 2]) }, { MAX_BATCH_SIZE: String(PORTION) });

describe('lines', () => {
  it.each([1, PORTION - 1, PORTION, PORTION + 1, 7 * PORTION + 3])(
    '%i of them get the same number of answers, in order, in CSV, JSON lines and JSON',
    async (count) => {
      const app = await serveIdentity();
      const table = rows(count);
      const csv = table.map((row) => row.join()).join('\n');
      const json = table.map((row) => JSON.stringify(row)).join('\n');
      expect(linesOf((await textOf(ask(app, '/models/m/invoke', csv, CSV)))[1])).toEqual(linesOf(csv));
      expect(linesOf((await textOf(ask(app, '/models/m/invoke', json, LINES)))[1])).toEqual(linesOf(json));
      expect(await jsonOf(ask(app, '/models/m/invoke', csv, { 'content-type': 'text/csv' }))).toEqual(table);
    },
  );

  it('that cannot be run have their own error among the answers of the others', async () => {
    const app = await serveIdentity();
    const lines = rows(2 * PORTION).map((row) => row.join());
    for (const [index, line] of [
      [0, 'a,b'],
      [PORTION, '1'],
      [PORTION + 1, '1,2,3'],
      [2 * PORTION - 1, '"1"2,3'],
    ] as const) {
      lines[index] = line;
    }
    const answers = linesOf((await textOf(ask(app, '/models/m/invoke', lines.join('\n'), CSV)))[1]);
    expect(answers).toHaveLength(lines.length);
    const bad = answers.flatMap((answer, index) => (answer === lines[index] ? [] : [[index + 1, answer]]));
    expect(bad).toEqual([
      [1, '"ERROR: Field ""line 1"" (column 1) is the string ""a""; expected a number."'],
      [51, '"ERROR: Field ""line 51"" has 1 columns; the model takes 2."'],
      [52, '"ERROR: Field ""line 52"" has 3 columns; the model takes 2."'],
      [100, expect.stringMatching(/^ERROR: The CSV body has a quote/)],
    ]);
  });

  it('of JSON have their errors as objects', async () => {
    const app = await serveIdentity();
    const lines = ['[0,1]', '{"a":', '[1]', '{"x":[2,3]}', '[4,5]', 'null', '[[6,7]]'];
    const answers = linesOf((await textOf(ask(app, '/models/m/invoke', lines.join('\n'), LINES)))[1]);
    expect(answers.map((line) => JSON.parse(line))).toEqual([
      [0, 1],
      { error: 'Line 2 is not valid JSON: it ends too early at column 6.' },
      { error: 'Input "x" has the shape [1,1]; expected [-1,2], where -1 is any size.' },
      [2, 3],
      [4, 5],
      { error: 'Input "x" has the shape [1]; expected [-1,2], where -1 is any size.' },
      { error: 'Input "x" has the shape [1,1,2]; expected [-1,2], where -1 is any size.' },
    ]);
  });

  it('fail as a whole where the answer has no place for errors, with the first error', async () => {
    const headers = { 'content-type': 'text/csv' };
    const body = '5.1,3.5,1.4,0.2\n5.1,3.5,1.4\n5.1,x,1.4,0.2';
    expect(await errorOf(ask(host, '/models/iris/invoke', body, headers))).toEqual([
      400,
      'Field "line 2" has 3 columns; the model takes 4.',
    ]);
    const [status] = await errorOf(
      ask(host, '/models/iris/invoke', body, { ...CSV, accept: 'application/x-npy' }),
    );
    expect(status).toBe(400);
  });

  it('fail as a whole where none of them can be run', async () => {
    expect(await errorOf(ask(host, '/models/iris/invoke', '1,2\n3', CSV))).toEqual([
      400,
      'Field "line 1" has 2 columns; the model takes 4.',
    ]);
    expect(await errorOf(ask(host, '/models/iris/invoke', '"broken', LINES))).toEqual([
      400,
      'Line 1 is not valid JSON: it ends too early at column 8.',
    ]);
  });

  it('fail as a whole where too many of them cannot be run', async () => {
    const good = '5.1,3.5,1.4,0.2\n';
    const few = good + 'x\n'.repeat(PORTION);
    expect(linesOf((await textOf(ask(host, '/models/iris/invoke', few, CSV)))[1])).toHaveLength(PORTION + 1);
    const [status, error] = await errorOf(ask(host, '/models/iris/invoke', `${few}x\n`, CSV));
    expect([status, error]).toEqual([400, 'Field "line 2" has 1 columns; the model takes 4.']);
  });

  it('have outputs that are together at most as large as one tensor may be', async () => {
    const app = await serveModels(
      { m: identityModel(FLOAT, ['n', 2]) },
      { MAX_BATCH_SIZE: '10', MAX_TENSOR_ELEMENTS: '60' },
    );
    const send = (count: number) =>
      ask(
        app,
        '/models/m/invoke',
        rows(count)
          .map((row) => row.join())
          .join('\n'),
        CSV,
      );
    expect(linesOf((await textOf(send(30)))[1])).toHaveLength(30);
    expect(await errorOf(send(31))).toEqual([
      413,
      'The outputs for all lines have more than 60 elements, which is the limit (MAX_TENSOR_ELEMENTS); send fewer lines.',
    ]);
  });

  it('whose outputs differ in length fit into lines, but not into an array', async () => {
    const nonZero = buildModel({
      nodes: [
        buildNode('ReduceMax', ['x', 'axes'], ['size'], { attributes: [integerAttribute('keepdims', 1)] }),
        buildNode('Cast', ['size'], ['sizes'], { attributes: [integerAttribute('to', INT64)] }),
        buildNode('Shape', ['x'], ['rows'], { attributes: [integerAttribute('end', 1)] }),
        buildNode('Concat', ['rows', 'sizes'], ['shape'], { attributes: [integerAttribute('axis', 0)] }),
        buildNode('ConstantOfShape', ['shape'], ['y']),
      ],
      inputs: [tensorValue('x', FLOAT, ['n'])],
      outputs: [tensorValue('y', FLOAT, ['n', 'm'])],
      initializers: [int64Initializer('axes', [0])],
    });
    const app = await serveModels({ m: nonZero }, { MAX_BATCH_SIZE: '1' });
    expect((await textOf(ask(app, '/models/m/invoke', '1\n2', CSV)))[1]).toBe('0\n0,0\n');
    expect(
      await errorOf(ask(app, '/models/m/invoke', '1\n2', { ...CSV, accept: 'application/x-npy' })),
    ).toEqual([406, 'Output "y" has rows of the shapes [1] and [2], which one array cannot hold.']);
  });

  it.each([
    ['text/csv', '\n\n', NO_LINES],
    ['application/jsonlines', ' \n', NO_LINES],
    ['text/csv; header=present', 'a,b,c,d', 'The body has no lines with values; expected at least one.'],
  ])('must be there: %s %j', async (type, body, message) => {
    const headers = { 'content-type': type, accept: 'text/csv' };
    expect(await errorOf(ask(host, '/models/iris/invoke', body, headers))).toEqual([400, message]);
  });

  it('that are not text are refused', async () => {
    expect(await errorOf(ask(host, '/models/iris/invoke', Buffer.from([0xff, 0x2c, 0x31]), CSV))).toEqual([
      400,
      'The CSV body is not valid UTF-8.',
    ]);
  });

  it('run on a graph with a fixed batch size in portions of it', async () => {
    const app = await serveModels({ m: identityModel(FLOAT, [2, 2]) }, { MAX_BATCH_SIZE: String(PORTION) });
    const csv = '1,2\n3,4\n5,6\n7,8';
    expect((await textOf(ask(app, '/models/m/invoke', csv, CSV)))[1]).toBe(`${csv}\n`);
  });

  it('of a model that the request does not name go to the one that takes them', async () => {
    expect(
      await jsonOf(ask(host, '/invocations', '5.1,3.5,1.4,0.2', { 'content-type': 'text/csv' })),
    ).toEqual([[7.113542, -1.969219, -9.984419]]);
  });
});

describe('batch transform', () => {
  it('is answered with how to send its records', async () => {
    const answer = await host.send({
      method: 'GET',
      path: '/execution-parameters',
      headers: {},
      body: Buffer.alloc(0),
    });
    expect(JSON.parse(answer.body.toString())).toEqual({
      MaxConcurrentTransforms: 1,
      BatchStrategy: 'MULTI_RECORD',
      MaxPayloadInMB: 1,
    });
  });

  it.each([
    [String(32 * 2 ** 20), 32],
    [String(2 ** 30), 100],
  ])('with MAX_BODY_BYTES=%s sends %i MB at most', async (bytes, megabytes) => {
    const app = openApp({ MAX_BODY_BYTES: bytes });
    const answer = await app.send({
      method: 'GET',
      path: '/execution-parameters',
      headers: {},
      body: Buffer.alloc(0),
    });
    expect(JSON.parse(answer.body.toString()).MaxPayloadInMB).toBe(megabytes);
    await app.close();
  });
});
