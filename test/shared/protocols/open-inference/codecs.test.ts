import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { buildModel, buildNode, FLOAT, STRING, tensorValue } from '../../../support/build-model.ts';
import { readFormatFile, readGolden } from '../../../support/format-folders.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { PROJECT } from '../../../support/project.ts';
import { infer, serveModels, split } from '../../../support/serve-models.ts';

const RECORDED = z
  .object({
    requests: z.array(z.object({ title: z.string(), model: z.string(), body: z.looseObject({}) })),
  })
  .parse(JSON.parse(readFileSync(join(PROJECT, 'test/fixtures/clients/mlserver.json'), 'utf8')));

interface Golden {
  readonly predictions: readonly (string | number)[];
  readonly probabilities?: readonly Readonly<Record<string, number>>[];
}

interface Output {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly (string | number)[];
}

describe('a request of the codecs of MLServer', () => {
  it.each(RECORDED.requests.map(({ title, ...rest }) => [title, rest] as const))(
    'is answered as by the model itself: %s',
    async (_, { model, body }) => {
      const host = await serveModels({ [model]: readFormatFile(`tabular/${model}/model.onnx`) });
      const answer = await infer(host, model, body);
      expect(answer.status, answer.body.toString()).toBe(200);
      const { predictions, probabilities } = readGolden<Golden>(`tabular/${model}`);
      const outputs: readonly Output[] = split(answer).json.outputs;
      if (probabilities === undefined) {
        expect(outputs[0]?.data).toEqual(predictions.map((value) => expect.closeTo(Number(value), 4)));
        return;
      }
      expect(outputs[0]?.data).toEqual(predictions);
      const expected = probabilities.flatMap((row) => Object.values(row));
      expect(outputs[1]?.data).toEqual(expected.map((value) => expect.closeTo(value, 4)));
    },
  );
});

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png')).toString('base64');
const app = openApp();
afterAll(() => app.close());

/** One column of a frame. */
const column = (name: string, data: readonly unknown[], more: object = {}) => ({
  name,
  datatype: 'FP64',
  shape: [data.length, 1],
  data,
  ...more,
});
const IRIS = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const LOGITS = [7.113542, -1.969219, -9.984419];
const columnsOf = (row: Readonly<Record<string, number>>) =>
  Object.entries(row).map(([name, value]) => column(name, [value, value]));
const pd = (inputs: readonly object[]) => ({ parameters: { content_type: 'pd' }, inputs });

describe('a data frame for a model with one matrix', () => {
  it.each([
    ['by the names of its features', pd(columnsOf(IRIS).reverse())],
    ['without a content type, where all names are features', { inputs: columnsOf(IRIS).reverse() }],
    [
      'in its order, where no name is known',
      pd(Object.values(IRIS).map((value, index) => column(`c${index}`, [value, value]))),
    ],
    ['with more columns than its features', pd([column('id', [1, 2]), ...columnsOf(IRIS)])],
  ])('is taken %s', async (_, body) => {
    const { json } = split(await infer(app, 'iris', body));
    const expected = [...LOGITS, ...LOGITS].map((value) => expect.closeTo(value, 4));
    expect(json.outputs).toEqual([{ name: 'logits', datatype: 'FP32', shape: [2, 3], data: expected }]);
  });

  it('comes as bytes after the JSON as well', async () => {
    const inputs = columnsOf(IRIS).map(({ data, ...head }) => ({
      ...head,
      parameters: { binary_data_size: data.length * 8 },
    }));
    const tail = Buffer.from(
      Float64Array.from(Object.values(IRIS).flatMap((value) => [value, value])).buffer,
    );
    const { json } = split(await infer(app, 'iris', pd(inputs), tail));
    expect(json.outputs[0].data.slice(0, 3)).toEqual(LOGITS.map((value) => expect.closeTo(value, 4)));
  });

  it.each([
    [
      'a column that is missing',
      pd(columnsOf({ ...IRIS, petal_length: 1.4 }).slice(1)),
      'Field "frame" has no column "sepal_length"; its columns are "sepal_width", "petal_length", "petal_width".',
    ],
    [
      'too few columns without known names',
      pd([column('a', [1]), column('b', [2])]),
      'Field "frame" has no column "sepal_length"; its columns are "a", "b".',
    ],
    [
      'names of which one is known',
      pd([column('sepal_length', [1]), column('b', [2]), column('c', [3]), column('d', [4])]),
      'Field "frame" has no column "sepal_width"; its columns are "sepal_length", "b", "c", "d".',
    ],
    [
      'texts in a column of numbers',
      pd([column('a', ['x'], { datatype: 'BYTES' }), column('b', [2]), column('c', [3]), column('d', [4])]),
      'Field "frame[0][0]" is the string "x"; expected a number.',
    ],
    [
      'columns of different lengths',
      pd([column('a', [1, 2]), column('b', [1])]),
      'Input "b" has 1 rows; the first column has 2.',
    ],
    [
      'a matrix among the columns',
      pd([column('a', [1, 2]), column('b', [1, 2], { shape: [1, 2] })]),
      'Input "b" has the shape [1,2]; a column of a data frame has the shape [N] or [N,1].',
    ],
    [
      'no rows',
      pd(Object.keys(IRIS).map((name) => column(name, []))),
      'Field "frame" has no rows; expected at least one.',
    ],
    [
      'tensors of an ordinary request by wrong names',
      { inputs: [column('a', [1]), column('b', [2])] },
      'There is no input "a"; the model takes "features".',
    ],
    [
      'a content type that is not a text',
      { inputs: [column('a', [1], { parameters: { content_type: 7 } })] },
      'Field "inputs[0].parameters.content_type" is the number 7; expected a string.',
    ],
  ])('is refused with %s', async (_, body, message) => {
    const answer = await infer(app, 'iris', body);
    expect([answer.status, split(answer).json.error]).toEqual([400, message]);
  });

  it('is held to MAX_BATCH_SIZE before its cells are read', async () => {
    const host = openApp({ MAX_BATCH_SIZE: '1' });
    const answer = await infer(host, 'iris', pd(columnsOf(IRIS)));
    expect([answer.status, split(answer).json.error]).toEqual([
      413,
      'Field "frame" has 2 instances; the limit is 1 (MAX_BATCH_SIZE).',
    ]);
    await host.close();
  });
});

const ECHO = buildModel({
  nodes: [buildNode('Identity', ['x'], ['y'])],
  inputs: [tensorValue('x', STRING, ['n'])],
  outputs: [tensorValue('y', STRING, ['n'])],
});
const DOUBLE = buildModel({
  nodes: [buildNode('Add', ['x', 'x'], ['y'])],
  inputs: [tensorValue('x', FLOAT, ['n'])],
  outputs: [tensorValue('y', FLOAT, ['n'])],
});
const typed = (type: string, data: readonly unknown[], name = 'input-0') => ({
  inputs: [{ name, datatype: 'BYTES', shape: [data.length], data, parameters: { content_type: type } }],
});

describe('a tensor with a content type', () => {
  it('goes into the only input of any model, under any name', async () => {
    const host = await serveModels({ echo: ECHO, double: DOUBLE });
    expect(split(await infer(host, 'echo', typed('str', ['a', 'ä']))).json.outputs[0].data).toEqual([
      'a',
      'ä',
    ]);
    const numbers = { name: 'foo', datatype: 'FP32', shape: [2], data: [1, 2] };
    const asArray = { parameters: { content_type: 'np' }, inputs: [numbers] };
    expect(split(await infer(host, 'double', asArray)).json.outputs[0].data).toEqual([2, 4]);
    const answer = await infer(host, 'double', { inputs: [numbers] });
    expect(split(answer).json.error).toBe('There is no input "foo"; the model takes "x".');
  });

  it('is base64 of texts and of images', async () => {
    const host = await serveModels({ echo: ECHO });
    const text = Buffer.from('größe').toString('base64');
    expect(split(await infer(host, 'echo', typed('base64', [text]))).json.outputs[0].data).toEqual(['größe']);
    const { json } = split(await infer(app, 'digits', typed('base64', [PNG])));
    expect(json.outputs[0].data[7]).toBeCloseTo(3.3707, 4);
  });

  it.each([
    '2026-11-28T22:15:00',
    '2026-11-28',
    '20261128T221500',
    '2026-11-28 22:15:00.123456+01:00',
    '2026-11-28T22:15Z',
    '2026-W48-6',
    '2026-W48',
  ])('is a date that reaches the model as its text: %s', async (date) => {
    const host = await serveModels({ echo: ECHO });
    expect(split(await infer(host, 'echo', typed('datetime', [date], 'x'))).json.outputs[0].data).toEqual([
      date,
    ]);
  });

  it.each(['yesterday', '2026-13-01', '28.11.2026', '2026-11-28T25:00', '2026-11', ''])(
    'is refused where it is not a date: %s',
    async (text) => {
      const host = await serveModels({ echo: ECHO });
      const answer = await infer(host, 'echo', typed('datetime', ['2026-11-28', text], 'x'));
      expect([answer.status, split(answer).json.error]).toEqual([
        400,
        `Element 1 of input "x" is the string "${text}"; expected a date of ISO 8601 (content_type datetime).`,
      ]);
    },
  );
});

describe('an output that is asked for in a content type', () => {
  const ask = (type: string) => ({
    ...typed('str', ['a', 'ä']),
    outputs: [{ name: 'y', parameters: { content_type: type } }],
  });

  it.each([
    ['str', { shape: [2, 1], data: ['a', 'ä'], parameters: { content_type: 'str' } }],
    ['np', { shape: [2, 1], data: ['a', 'ä'], parameters: { content_type: 'np' } }],
    ['base64', { shape: [2, 1], data: ['YQ==', 'w6Q='], parameters: { content_type: 'base64' } }],
    ['something', { shape: [2], data: ['a', 'ä'] }],
  ])('is written as MLServer does: %s', async (type, expected) => {
    const host = await serveModels({ echo: ECHO });
    expect(split(await infer(host, 'echo', ask(type))).json.outputs).toEqual([
      { name: 'y', datatype: 'BYTES', ...expected },
    ]);
  });

  it('is refused where the output has no texts', async () => {
    const host = await serveModels({ double: DOUBLE });
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [2], data: [1, 2] }];
    const answer = await infer(host, 'double', {
      inputs,
      outputs: [{ name: 'y', parameters: { content_type: 'base64' } }],
    });
    expect([answer.status, split(answer).json.error]).toEqual([
      400,
      'Output "y" is FP32 of the shape [2]; the content type base64 takes one text a row.',
    ]);
  });
});
