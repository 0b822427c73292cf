import { describe, expect, it, onTestFinished } from 'vitest';
import { post } from '../../contracts/exchanges.ts';
import {
  BOOL,
  buildModel,
  buildNode,
  FLOAT,
  FLOAT16,
  floatInitializer,
  INT64,
  identityModel,
  integerAttribute,
  integersAttribute,
  STRING,
  stringsAttribute,
  tensorValue,
  UINT8,
} from '../../support/build-model.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import { makeFolder } from '../../support/temporary-folder.ts';
import { extractor, pairClassifier, TOKENIZER } from '../../support/text-models.ts';
import { describeRoutes } from './describe-routes.ts';
import { jsonSchemaOf } from './read-document.ts';

/** A model of several inputs that it returns. */
function echoModel(inputs: readonly Uint8Array[], names: readonly string[], outputs: readonly Uint8Array[]) {
  return buildModel({
    nodes: names.map((name) => buildNode('Identity', [name], [`${name}_out`])),
    inputs,
    outputs,
  });
}

const FILES = {
  'number/1/model.onnx': buildModel({
    nodes: [buildNode('MatMul', ['x', 'w'], ['y'])],
    inputs: [tensorValue('x', FLOAT, ['n', 3])],
    outputs: [tensorValue('y', FLOAT, ['n', 1])],
    initializers: [floatInitializer('w', [3, 1], [1, 2, 3])],
  }),
  'number/1/model.json': JSON.stringify({ task: 'tabular-regression', description: 'A sum.' }),
  // The graph fills in missing texts of `filled`, but not those of `needed`.
  'gaps/1/model.onnx': buildModel({
    nodes: [
      buildNode('LabelEncoder', ['filled'], ['found'], {
        domain: 'ai.onnx.ml',
        attributes: [
          stringsAttribute('keys_strings', ['']),
          integersAttribute('values_int64s', [1n]),
          integerAttribute('default_int64', 0),
        ],
      }),
      buildNode('Cast', ['found'], ['empty'], { attributes: [integerAttribute('to', BOOL)] }),
      buildNode('Where', ['empty', 'needed', 'filled'], ['y']),
    ],
    inputs: [tensorValue('filled', STRING, ['n', 1]), tensorValue('needed', STRING, ['n', 1])],
    outputs: [tensorValue('y', STRING, ['n', 1])],
    opsets: { '': 18, 'ai.onnx.ml': 3 },
  }),
  'gaps/1/model.json': JSON.stringify({
    task: 'tabular',
    features: [{ name: 'filled' }, { name: 'needed', minLength: 1 }],
  }),
  'bytes/1/model.onnx': identityModel(UINT8, ['n', 2]),
  'bytes/1/model.json': JSON.stringify({
    task: 'tabular-regression',
    features: [{ name: 'a', range: [-5, 7], unit: 'cm', description: 'One.' }, { name: 'b' }],
    output: 'y',
  }),
  'half/1/model.onnx': identityModel(FLOAT16, ['n', 'm']),
  'half/1/model.json': JSON.stringify({ task: 'tabular-regression' }),
  'pair/1/model.onnx': buildModel({
    nodes: [buildNode('GlobalAveragePool', ['pixels'], ['scores'])],
    inputs: [tensorValue('pixels', FLOAT, [2, 3, 4, 4])],
    outputs: [tensorValue('scores', FLOAT, [2, 3, 1, 1])],
  }),
  'pair/1/model.json': JSON.stringify({
    task: 'image-classification',
    preprocess: [
      { step: 'convert', mode: 'RGB' },
      { step: 'resize', width: 4, height: 4 },
      { step: 'layout', layout: 'NCHW' },
    ],
  }),
  'mixed/1/model.onnx': echoModel(
    [tensorValue('flag', BOOL, [2]), tensorValue('text', STRING, ['n', 1]), tensorValue('count', INT64, [])],
    ['flag', 'text', 'count'],
    [
      tensorValue('flag_out', BOOL, [2]),
      tensorValue('text_out', STRING, ['n', 1]),
      tensorValue('count_out', INT64, []),
    ],
  ),
  'open/1/model.onnx': buildModel({
    nodes: [buildNode('Identity', ['x'], ['y'])],
    inputs: [tensorValue('x', FLOAT)],
    outputs: [tensorValue('y', FLOAT)],
  }),
  ...Object.fromEntries(
    ['texts', 'vectors'].flatMap((name) =>
      Object.entries(TOKENIZER).map(([file, text]) => [`${name}/1/${file}`, text] as const),
    ),
  ),
  'texts/1/model.onnx': pairClassifier,
  'texts/1/model.json': JSON.stringify({ task: 'text-classification', labels: ['a', 'b'] }),
  'vectors/1/model.onnx': extractor,
  'vectors/1/model.json': JSON.stringify({ task: 'feature-extraction', pooling: 'mean' }),
};

async function open(environment: Readonly<Record<string, string>> = {}) {
  const folder = await makeFolder(FILES);
  const host = openApp({ MODEL_REPOSITORY: folder, ...environment });
  onTestFinished(() => host.close());
  return { host, ...(await describeRoutes(host)) };
}

describe('the route of a model', () => {
  it.each(['number', 'bytes', 'half', 'pair', 'mixed', 'open', 'texts', 'vectors'])(
    'shows an example that %s answers as described, in both protocols',
    async (name) => {
      const { host, operationOf, validator } = await open();
      for (const path of [`/models/${name}/predict`, `/v2/models/${name}/infer`]) {
        const { requestBody, responses } = operationOf(path);
        const media = requestBody?.content['application/json'];
        expect(validator.problems(media?.schema ?? {}, media?.example), path).toBe('');
        const answer = await host.send(post(path, media?.example));
        expect(answer.status, `${path}: ${answer.body}`).toBe(200);
        const schema = { ...jsonSchemaOf(responses[200]?.content), unevaluatedProperties: false };
        expect(validator.problems(schema, JSON.parse(answer.body.toString())), path).toBe('');
      }
    },
  );

  it('names the features with their limits: their ranges and the bounds of the datatype', async () => {
    const { operationOf } = await open();
    const { properties } = Object(jsonSchemaOf(operationOf('/models/bytes/predict').requestBody?.content));
    const [named] = properties.features.anyOf;
    expect(named).toEqual({
      type: 'object',
      title: 'By name',
      required: ['a', 'b'],
      additionalProperties: false,
      properties: {
        a: { title: 'a', description: 'One. In cm.', type: ['integer', 'boolean'], minimum: 0, maximum: 7 },
        b: { title: 'b', type: ['integer', 'boolean'], minimum: 0, maximum: 255 },
      },
    });
  });

  it('says which texts can be missing, and takes those', async () => {
    const { host, operationOf } = await open();
    const { properties } = Object(jsonSchemaOf(operationOf('/models/gaps/predict').requestBody?.content));
    expect(properties.features.anyOf[0].properties).toEqual({
      filled: { title: 'filled', type: ['string', 'null'] },
      needed: { title: 'needed', type: 'string', minLength: 1 },
    });
    const tensor = (name: string, data: unknown) => ({
      name,
      datatype: 'BYTES',
      shape: [1, 1],
      data: [data],
    });
    const infer = async (filled: unknown, needed: unknown) => {
      const inputs = [tensor('filled', filled), tensor('needed', needed)];
      const answer = await host.send(post('/v2/models/gaps/infer', { inputs }));
      const { outputs, error } = JSON.parse(answer.body.toString());
      return error ?? outputs[0].data[0];
    };
    expect(await infer(null, 'b')).toBe('b');
    expect(await infer('', 'b')).toBe('b');
    expect(await infer('a', 'b')).toBe('a');
    expect(await infer('a', null)).toBe('Element 0 of input "needed" is null; expected a string.');
    expect(await infer('a', '')).toBe(
      'Element 0 of input "needed" is empty; expected at least 1 character. This model has no answer for a missing text: send one that it was trained with.',
    );
    const rows = { features: { filled: null, needed: null } };
    const answer = await host.send(post('/models/gaps/predict', rows));
    expect(JSON.parse(answer.body.toString()).message).toMatch(/^Field "features.needed" is empty; expected/);
  });

  it('lists the labels that can be answered, where they are known', async () => {
    const own = await open();
    expect(own.document.components.schemas['Prediction.pair']).toMatchObject({
      properties: { prediction: { type: ['string', 'integer'] } },
    });
    const { document } = await describeRoutes(openApp());
    expect(document.components.schemas['Prediction.iris']).toMatchObject({
      required: ['prediction', 'class_id', 'confidence', 'probabilities'],
      properties: {
        prediction: { type: 'string', enum: ['setosa', 'versicolor', 'virginica'] },
        class_id: { minimum: 0, maximum: 2 },
        probabilities: { required: ['setosa', 'versicolor', 'virginica'] },
      },
    });
  });

  it('takes files where the model takes images, and only there', async () => {
    const { document } = await describeRoutes(openApp());
    const typesOf = (path: string) => Object.keys(document.paths[path]?.post?.requestBody?.content ?? {});
    expect(typesOf('/models/digits/predict')).toEqual(
      expect.arrayContaining(['multipart/form-data', 'image/png', 'image/jpeg', 'application/json']),
    );
    expect(typesOf('/models/iris/predict')).toEqual(['application/json']);
  });

  it.each([
    [{ inputs: { flag: [true, 0], text: [['a'], ['b']], count: 7 } }, true],
    [{ inputs: { flag: [true, 2], text: [['a']], count: 7 } }, false],
    [{ inputs: { flag: [true], text: [['a']], count: 7 } }, false],
    [{ inputs: { flag: [true, false], text: [['a', 'b']], count: 7 } }, false],
    [{ inputs: { flag: [true, false], text: [[1]], count: 7 } }, false],
    [{ inputs: { flag: [true, false], text: [['a']], count: 7.5 } }, false],
    [{ inputs: { flag: [true, false], text: [['a']] } }, false],
    [{ inputs: { flag: [true, false], text: [['a']], count: 7, more: 1 } }, false],
    [{ inputs: [[true, false]] }, false],
  ])('of tensors takes %j: %s, as the server does', async (body, isGood) => {
    const { isTaken, isAnswered } = await open();
    expect(isTaken('/models/mixed/predict', body)).toBe(isGood);
    expect(await isAnswered('/models/mixed/predict', body)).toBe(isGood);
  });

  it.each([
    [{ text: 'a', text_pair: 'b' }, true],
    [{ instances: ['a', { text: 'b' }, { text: 'a', text_pair: 'b' }] }, true],
    [{ text_pair: 'b' }, false],
    [{ text: ['a', 'b'] }, false],
    [{ instances: [{ text: 'a', title: 'b' }] }, false],
    [{ instances: [['a', 'b']] }, false],
  ])('of texts takes %j: %s, as the server does', async (body, isGood) => {
    const { isTaken, isAnswered } = await open();
    expect(isTaken('/models/texts/predict', body)).toBe(isGood);
    expect(await isAnswered('/models/texts/predict', body)).toBe(isGood);
  });

  it.each([
    [{ name: 'any', datatype: 'BYTES', shape: [2], data: ['a', 'b'] }, true, true],
    [{ name: 'any', datatype: 'BYTES', shape: [1, 2], data: ['a', 'b'] }, true, false],
    [{ name: 'any', datatype: 'BYTES', shape: [1, 3], data: ['a', 'b', 'c'] }, false, false],
  ])('of V2 takes the texts %j: pairs only where the model reads two', async (input, isGood, isSingle) => {
    const { isTaken, isAnswered } = await open();
    for (const [name, isExpected] of [['texts', isGood] as const, ['vectors', isSingle] as const]) {
      expect(isTaken(`/v2/models/${name}/infer`, { inputs: [input] })).toBe(isExpected);
      expect(await isAnswered(`/v2/models/${name}/infer`, { inputs: [input] })).toBe(isExpected);
    }
  });

  it('of images with a fixed batch size takes whole batches alone', async () => {
    const { operationOf, isTaken, isAnswered } = await open();
    const { instances } = Object(
      operationOf('/models/pair/predict').requestBody?.content['application/json']?.example,
    );
    expect(instances).toHaveLength(2);
    for (const body of [{ instances: instances.slice(1) }, instances[0]]) {
      expect(isTaken('/models/pair/predict', body)).toBe(false);
      expect(await isAnswered('/models/pair/predict', body)).toBe(false);
    }
  });
});
