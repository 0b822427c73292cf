import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { post } from '../../../contracts/exchanges.ts';
import { ask } from '../../../support/ask.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  identityModel,
  tensorValue,
} from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { serveModels } from '../../../support/serve-models.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const B64 = readFileSync(join(import.meta.dirname, '../../../fixtures/digits/07-label-7.png')).toString(
  'base64',
);
const app = openApp({ MAX_JSON_DEPTH: '32' });
const SETOSA = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

/** Twice the sum of two columns. */
const linear = buildModel({
  nodes: [buildNode('MatMul', ['x', 'weights'], ['y'])],
  inputs: [tensorValue('x', FLOAT, ['n', 2])],
  outputs: [tensorValue('y', FLOAT, ['n', 1])],
  initializers: [floatInitializer('weights', [2, 1], [2, 2])],
});

async function serveRegression(): Promise<TestHost> {
  const config = { task: 'tabular-regression', features: [{ name: 'a' }, { name: 'b' }] };
  const folder = await makeFolder({
    'line/1/model.onnx': linear,
    'line/1/model.json': JSON.stringify(config),
  });
  const host = openApp({ MODEL_REPOSITORY: folder });
  onTestFinished(() => host.close());
  return host;
}

const classify = async (body: unknown, model = 'iris/versions/1') =>
  await ask(app, post(`/v1/models/${model}:classify`, body));

describe('classify', () => {
  it('gives each example all labels with their scores, in the order of the classes', async () => {
    const { status, text } = await classify({ examples: [SETOSA] });
    expect(status).toBe(200);
    expect(text).toBe('{"results":[[["setosa",0.99999934],["versicolor",0.0],["virginica",0.0]]]}');
  });

  it.each<[string, unknown]>([
    [
      'lists of one',
      { examples: [{ sepal_length: [5.1], sepal_width: [3.5], petal_length: [1.4], petal_width: [0.2] }] },
    ],
    ['the list of the only input', { examples: [{ features: [5.1, 3.5, 1.4, 0.2] }] }],
    [
      'a context that all share, and that an example overrules',
      {
        context: { petal_length: 6, petal_width: 0.2 },
        examples: [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4 }],
      },
    ],
  ])('takes %s', async (_, body) => {
    expect((await classify(body)).json).toEqual((await classify({ examples: [SETOSA] })).json);
  });

  it('takes an encoded image under any name', async () => {
    for (const example of [{ 'image/encoded': { b64: B64 } }, { x: [{ b64: B64 }] }]) {
      const { json } = await classify({ examples: [example] }, 'digits');
      expect(json.results[0][7]).toEqual(['7', expect.closeTo(0.79, 2)]);
    }
    const { status, json } = await classify({ examples: [{ image: 'text' }] }, 'digits');
    expect([status, json.error]).toEqual([
      400,
      'Field "examples[0]" is an object with the keys "image"; this model takes one feature with an image, as {"b64": "…"}.',
    ]);
  });

  it.each<[unknown, string]>([
    [{}, 'Field "examples" is nothing; expected an array.'],
    [{ examples: {} }, 'Field "examples" is an object with no keys; expected an array.'],
    [{ examples: [] }, 'Field "examples" is empty; expected at least one example.'],
    [{ examples: [1] }, 'Field "examples[0]" is the number 1; expected an object of features by name.'],
    [{ context: [], examples: [SETOSA] }, 'Field "context" is an array of 0; expected an object.'],
    [
      { examples: [{ ...SETOSA, sepal_length: [1, 'a'] }] },
      'Field "examples[0].sepal_length" mixes numbers and texts; expected values of one kind.',
    ],
    [
      { examples: [{ ...SETOSA, sepal_length: null }] },
      'Field "examples[0].sepal_length" is null; expected a number.',
    ],
    [
      { examples: [{ ...SETOSA, sepal_length: [] }] },
      'Field "examples[0].sepal_length" is an array of 0; expected a number.',
    ],
    [
      { examples: [SETOSA, { sepal_length: 1 }] },
      expect.stringMatching(
        /^Field "examples\[1\]" lacks "sepal_width", "petal_length", "petal_width"; expected 4 numbers \(sepal_length, /,
      ),
    ],
    [
      { signature_name: 'x', examples: [SETOSA] },
      expect.stringMatching(/^Field "signature_name" is the string "x"; .*"serving_default"/),
    ],
  ])('refuses %j', async (body, message) => {
    const { status, json } = await classify(body);
    expect([status, json.error]).toEqual([400, message]);
  });

  it('refuses more examples than the limit', async () => {
    expect((await classify({ examples: new Array(51).fill(SETOSA) })).status).toBe(413);
  });
});

describe('regress', () => {
  it('gives each example a number', async () => {
    const host = await serveRegression();
    const { text } = await ask(
      host,
      post('/v1/models/line:regress', { examples: [{ a: 1, b: 2 }, { x: [1, 0.5] }] }),
    );
    expect(text).toBe('{"results":[6.0,3.0]}');
  });

  it('and classify refuse the models of each other, and those of tensors', async () => {
    const error = async (host: TestHost, path: string) =>
      (await ask(host, post(path, { examples: [{ a: 1, b: 2, ...SETOSA }] }))).json.error;
    const host = await serveRegression();
    expect(
      (await ask(host, post('/v1/models/line:classify', { examples: [{ a: 1, b: 2 }] }))).json.error,
    ).toBe('This model is not a classifier; use :predict or :regress.');
    expect((await ask(app, post('/v1/models/iris:regress', { examples: [SETOSA] }))).json.error).toBe(
      'This model is not a regressor; use :predict or :classify.',
    );
    const tensors = await serveModels({ m: identityModel(FLOAT, ['n', 2]) });
    expect(await error(tensors, '/v1/models/m:classify')).toBe(
      'This model is neither a classifier nor a regressor; use :predict.',
    );
  });
});
