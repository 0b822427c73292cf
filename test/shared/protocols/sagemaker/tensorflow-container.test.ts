import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { PROJECT } from '../../../support/project.ts';
import { ask, errorOf, jsonOf, textOf } from './ask.ts';

const ROW = '[5.1,3.5,1.4,0.2]';
const CSV_ROW = '5.1,3.5,1.4,0.2';
const NAMED = '{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}';
const LOGITS = [7.113542, -1.969219, -9.984419];
const JSON_TYPE = 'application/json';
const LINES = 'application/jsonlines';

let host: TestHost;
beforeAll(() => {
  host = openApp();
});
afterAll(() => host.close());

const send = (body: string | Uint8Array, type: string, attributes: string, accept?: string) =>
  ask(host, '/invocations', body, {
    'content-type': type,
    'x-amzn-sagemaker-custom-attributes': `tfs-model-name=iris,${attributes}`,
    ...(accept && { accept }),
  });

describe("SageMaker's TensorFlow Serving container", () => {
  it.each([
    ['instances', JSON_TYPE, `{"instances": [${ROW}]}`],
    ['one list', JSON_TYPE, ROW],
    ['a list of lists', JSON_TYPE, `[${ROW}]`],
    ['an object', JSON_TYPE, NAMED],
    ['a single line, which is the list of instances', LINES, `[${ROW}]`],
    ['a single line with one instance', LINES, `${NAMED}\n`],
    ['a row of CSV', 'text/csv', CSV_ROW],
    ['a quoted row of CSV', 'text/csv', CSV_ROW.replace('5.1', '"5.1"')],
  ])('answers %s with predictions', async (_, type, body) => {
    expect(await jsonOf(send(body, type, 'tfs-method=predict'))).toEqual({ predictions: [LOGITS] });
  });

  it.each([
    ['values one after the other', JSON_TYPE, `${NAMED}${NAMED}`],
    ['lists line by line', JSON_TYPE, `${ROW}\n${ROW}`],
    ['lines', LINES, `${ROW}\n${NAMED}`],
    ['CSV', 'text/csv', `${CSV_ROW}\n${CSV_ROW}`],
  ])('answers %s with a prediction each', async (_, type, body) => {
    expect(await jsonOf(send(body, type, ''))).toEqual({ predictions: [LOGITS, LOGITS] });
  });

  it('answers inputs with outputs', async () => {
    expect(await jsonOf(send(`{"inputs": [${ROW}]}`, JSON_TYPE, 'x=1'))).toEqual({ outputs: [LOGITS] });
  });

  it('takes model, version and method from the attributes, among those of others', async () => {
    const attributes = 'user=42, tfs-model-version=1 , tfs-method=classify,trace';
    const { results } = await jsonOf(send(`{"examples": [${NAMED}]}`, JSON_TYPE, attributes));
    expect(results).toEqual([
      [
        ['setosa', expect.closeTo(1, 4)],
        ['versicolor', 0],
        ['virginica', 0],
      ],
    ]);
    const [, error] = await errorOf(send(`{"instances": [${ROW}]}`, JSON_TYPE, 'tfs-model-version=9'));
    expect(error).toBe('Model "iris" has no version "9"; its versions are 1, 2.');
  });

  it.each([
    [
      `{"examples": [${NAMED}]}`,
      JSON_TYPE,
      '',
      /examples need the custom attribute tfs-method=classify or tfs-method=/,
    ],
    [`{"examples": [${NAMED}]}`, JSON_TYPE, 'tfs-method=predict', /expected "instances" or "inputs"/],
    [`{"examples": [${NAMED}]}`, JSON_TYPE, 'tfs-method=regress', /^This model is not a regressor/],
    [
      `{"examples": [${NAMED}]}`,
      JSON_TYPE,
      'tfs-method=explain',
      /^The attribute tfs-method is "explain"; expected one/,
    ],
    [
      CSV_ROW,
      'text/csv',
      'tfs-method=classify',
      /^The attribute tfs-method is "classify", which takes JSON with/,
    ],
    [ROW, JSON_TYPE, 'tfs-method=regress', /^The attribute tfs-method is "regress", which takes JSON with/],
    [`${ROW}\n5`, LINES, '', /^Element 0 of field "line 2"|^Input "features" has the shape/],
  ])('refuses %s (%s, %s)', async (body, type, attributes, message) => {
    const [status, error] = await errorOf(send(body, type, attributes));
    expect(status).toBe(400);
    expect(error).toMatch(message);
  });

  it('answers under the type of lines where the request asks for it, and lines with lines', async () => {
    expect(await textOf(send(`{"instances": [${ROW}]}`, JSON_TYPE, '', LINES))).toEqual([
      LINES,
      `{"predictions":[${JSON.stringify(LOGITS)}]}`,
    ]);
    const [type, text] = await textOf(send(`${CSV_ROW}\n${CSV_ROW}\n`, 'text/csv', '', LINES));
    expect([type, text]).toEqual([LINES, `${JSON.stringify(LOGITS)}\n`.repeat(2)]);
    expect((await textOf(send(`{"instances": [${ROW}]}`, JSON_TYPE, '', 'text/csv')))[1]).toBe(`${LOGITS}\n`);
  });

  it('refuses types of others', async () => {
    expect((await errorOf(send('1:2', 'application/x-recordio-protobuf', '')))[0]).toBe(415);
  });
});

describe('DIALECT=tensorflow-serving', () => {
  it('makes every request on the shared routes one to that container', async () => {
    const app = openApp({ DIALECT: 'tensorflow-serving' });
    const png = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
    for (const [body, type] of [
      [ROW, JSON_TYPE],
      [CSV_ROW, 'text/csv'],
      [`${ROW}\n`, LINES],
    ] as const) {
      const answer = await jsonOf(ask(app, '/endpoints/iris/invocations', body, { 'content-type': type }));
      expect(answer).toEqual({ predictions: [LOGITS] });
    }
    const image = ask(app, '/endpoints/digits/invocations', png, { 'content-type': 'image/png' });
    expect((await jsonOf(image)).predictions[0]).toHaveLength(10);
    await app.close();
  });
});
