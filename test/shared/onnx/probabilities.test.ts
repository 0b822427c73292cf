import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TENSOR } from '../../../shared/onnx/fields.ts';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { bytesSource, encodeField, encodeVarintField } from '../../../shared/onnx/protobuf.ts';
import { ask } from '../../support/ask.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatAttribute,
  floatsAttribute,
  integerAttribute,
  integersAttribute,
  tensorAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { serveModels } from '../../support/serve-models.ts';

const FIXTURES = new URL('../../fixtures/classifiers/', import.meta.url);

interface Answers {
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly probabilities?: readonly (readonly number[])[];
  readonly margins?: readonly (readonly number[])[];
}

const golden: Readonly<Record<string, Answers>> = JSON.parse(
  readFileSync(new URL('golden.json', FIXTURES), 'utf8'),
);

/** To four digits: graphs compute in single precision. */
function close(value = Number.NaN): unknown {
  return expect.closeTo(value, 4 - Math.ceil(Math.log10(Math.max(1, Math.abs(value)))));
}

describe('classifiers of scikit-learn, XGBoost and LightGBM', () => {
  it.each(Object.entries(golden))('%s answers as the library does', async (name, answers) => {
    const { rows, labels, probabilities, margins = [] } = answers;
    const host = await serveModels({ [name]: readFileSync(new URL(`${name}.onnx`, FIXTURES)) });
    const body = Buffer.from(JSON.stringify({ instances: rows }));
    const path = `/models/${name}/predict`;
    const { json } = await ask(host, { method: 'POST', path, headers: {}, body });
    const byLabel = (scores: readonly number[] = []) =>
      Object.fromEntries(scores.map((score, label) => [label, close(score)]));
    const expected = labels.map((label, row) => ({
      prediction: label,
      class_id: label,
      ...(probabilities
        ? { confidence: close(probabilities[row]?.[label]), probabilities: byLabel(probabilities[row]) }
        : { scores: byLabel(margins[row]) }),
    }));
    expect(json.predictions).toEqual(expected);
  });
});

/** A graph from x [n, 3] by some nodes to y. */
function graphOf(nodes: readonly Uint8Array[], initializers: readonly Uint8Array[] = []): Uint8Array {
  return buildModel({
    nodes,
    inputs: [tensorValue('x', FLOAT, ['n', 3])],
    outputs: [tensorValue('y', FLOAT, ['n', 3])],
    initializers,
  });
}

const node = buildNode;
const one = floatTensor('one', [], [1]);
const step = floatTensor('step', [], [1 / 255]);
const axis = integersAttribute('axes', [1n]);
const keep = integerAttribute('keepdims', 1);
const ml = { domain: 'ai.onnx.ml' };

const ENDS: readonly (readonly [name: string, areProbabilities: boolean, model: Uint8Array])[] = [
  ['a softmax', true, graphOf([node('Softmax', ['x'], ['y'])])],
  [
    'a softmax, then Identity',
    true,
    graphOf([node('Softmax', ['x'], ['s']), node('Identity', ['s'], ['y'])]),
  ],
  [
    'a softmax that is quantised',
    true,
    graphOf(
      [
        node('Softmax', ['x'], ['s']),
        node('QuantizeLinear', ['s', 'step'], ['q']),
        node('DequantizeLinear', ['q', 'step'], ['y']),
      ],
      [step],
    ),
  ],
  [
    'a softmax that stays quantised',
    false,
    graphOf(
      [
        node('Softmax', ['x'], ['s']),
        node('QuantizeLinear', ['s', 'step'], ['q']),
        node('Cast', ['q'], ['y'], { attributes: [integerAttribute('to', FLOAT)] }),
      ],
      [step],
    ),
  ],
  [
    'a softmax that is brought back by another scale',
    false,
    graphOf(
      [
        node('Softmax', ['x'], ['s']),
        node('QuantizeLinear', ['s', 'step'], ['q']),
        node('DequantizeLinear', ['q', 'one'], ['y']),
      ],
      [one, step],
    ),
  ],
  [
    'values that are clipped below nothing',
    false,
    graphOf([
      node('Relu', ['x'], ['r']),
      node('Clip', ['r'], ['y'], { attributes: [floatAttribute('max', -5)] }),
    ]),
  ],
  [
    'parts of a sum that is cut off',
    false,
    graphOf([
      node('Exp', ['x'], ['e']),
      node('ReduceSum', ['e'], ['s'], { attributes: [axis, keep] }),
      node('Clip', ['s'], ['c'], { attributes: [floatAttribute('max', 0.1)] }),
      node('Div', ['e', 'c'], ['y']),
    ]),
  ],
  [
    'parts of the sum of their whole numbers',
    false,
    graphOf([
      node('Exp', ['x'], ['e']),
      node('Cast', ['e'], ['w'], { attributes: [integerAttribute('to', 7)] }),
      node('ReduceSum', ['w'], ['s'], { attributes: [axis, keep] }),
      node('Cast', ['s'], ['f'], { attributes: [integerAttribute('to', FLOAT)] }),
      node('Div', ['e', 'f'], ['y']),
    ]),
  ],
  [
    'powers times one over their sum',
    true,
    graphOf([
      node('Exp', ['x'], ['e']),
      node('ReduceSum', ['e'], ['s'], { attributes: [axis, keep] }),
      node('Reciprocal', ['s'], ['r']),
      node('Mul', ['e', 'r'], ['y']),
    ]),
  ],
  [
    'twenty thousand sums that each take long to find',
    false,
    graphOf([
      node('Exp', ['x'], ['g0']),
      ...Array.from({ length: 7 }, (_, index) => node('Add', [`g${index}`, `g${index}`], [`g${index + 1}`])),
      ...Array.from({ length: 20_000 }, (_, index) => node('Div', ['g0', 'g7'], [`d${index}`])),
      node(
        'Concat',
        Array.from({ length: 20_000 }, (_, index) => `d${index}`),
        ['y'],
      ),
    ]),
  ],
  ["somebody's own softmax", false, graphOf([node('Softmax', ['x'], ['y'], { domain: 'example.org' })])],
  ['a logarithm of a softmax', false, graphOf([node('LogSoftmax', ['x'], ['y'])])],
  ['its exponential', true, graphOf([node('LogSoftmax', ['x'], ['l']), node('Exp', ['l'], ['y'])])],
  ['a sigmoid', true, graphOf([node('Sigmoid', ['x'], ['y'])])],
  [
    'a sigmoid in parts',
    true,
    graphOf(
      [
        node('Neg', ['x'], ['n']),
        node('Exp', ['n'], ['e']),
        node('Add', ['e', 'one'], ['d']),
        node('Div', ['one', 'd'], ['y']),
      ],
      [one],
    ),
  ],
  [
    'a softmax in parts',
    true,
    graphOf([
      node('ReduceMax', ['x'], ['m'], { attributes: [axis, keep] }),
      node('Sub', ['x', 'm'], ['d']),
      node('Exp', ['d'], ['e']),
      node('ReduceSum', ['e'], ['s'], { attributes: [axis, keep] }),
      node('Div', ['e', 's'], ['y']),
    ]),
  ],
  [
    'shares of what may be negative',
    false,
    graphOf([node('ReduceSum', ['x'], ['s'], { attributes: [axis, keep] }), node('Div', ['x', 's'], ['y'])]),
  ],
  [
    'parts of another sum',
    false,
    graphOf([
      node('Exp', ['x'], ['e']),
      node('Abs', ['x'], ['a']),
      node('ReduceSum', ['a'], ['s'], { attributes: [axis, keep] }),
      node('Div', ['e', 's'], ['y']),
    ]),
  ],
  ['logits', false, graphOf([node('Identity', ['x'], ['y'])])],
  ['positive logits', false, graphOf([node('Relu', ['x'], ['y'])])],
  ['a tangent', false, graphOf([node('Tanh', ['x'], ['y'])])],
  ['vectors of length one', false, graphOf([node('LpNormalization', ['x'], ['y'])])],
  ['two softmaxes added', false, graphOf([node('Softmax', ['x'], ['s']), node('Add', ['s', 's'], ['y'])])],
  [
    'the mean of two softmaxes',
    true,
    graphOf([node('Softmax', ['x'], ['s']), node('Sigmoid', ['x'], ['t']), node('Mean', ['s', 't'], ['y'])]),
  ],
  [
    'a linear classifier',
    false,
    graphOf([
      node('LinearClassifier', ['x'], ['label', 'y'], {
        ...ml,
        attributes: [
          floatsAttribute('coefficients', new Array<number>(9).fill(1)),
          integersAttribute('classlabels_ints', [0n, 1n, 2n]),
        ],
      }),
    ]),
  ],
  [
    'values that are at most 1',
    true,
    graphOf([
      node('Clip', ['x'], ['y'], { attributes: [floatAttribute('min', 0), floatAttribute('max', 1)] }),
    ]),
  ],
  ['a TreeEnsemble with a softmax', true, graphOf([ensemble(1, [-3, 5])])],
  ['a TreeEnsemble of shares', true, graphOf([ensemble(0, [0.25, 0.75])])],
  ['a TreeEnsemble of margins', false, graphOf([ensemble(0, [-3, 5])])],
  ['a TreeEnsemble of large shares', false, graphOf([ensemble(0, [0.25, 1.75])])],
  ['a node that takes what it gives', false, graphOf([node('Identity', ['y'], ['y'])])],
  ['nothing', false, graphOf([])],
  ['nodes without inputs', false, graphOf([node('Concat', [], ['y'])])],
  [
    'guards that double at each step',
    false,
    graphOf([
      node('Exp', ['x'], ['g0']),
      ...Array.from({ length: 40 }, (_, index) => node('Max', [`g${index}`, `g${index}`], [`g${index + 1}`])),
      node('Div', ['g0', 'g40'], ['y']),
    ]),
  ],
];

/** A tensor of floats by its name. Source: TensorProto in onnx.proto. */
function floatTensor(name: string, shape: readonly number[], values: readonly number[]): Uint8Array {
  return Buffer.concat([
    ...shape.map((size) => encodeVarintField(TENSOR.dims, size)),
    encodeVarintField(TENSOR.type, FLOAT),
    encodeField(TENSOR.name, Buffer.from(name)),
    encodeField(TENSOR.raw, new Uint8Array(Float32Array.from(values).buffer)),
  ]);
}

/** One tree with two leaves. Source: TreeEnsemble in version 5 of ONNX-ML. */
function ensemble(transform: number, leaves: readonly number[]): Uint8Array {
  return buildNode('TreeEnsemble', ['x'], ['y'], {
    ...ml,
    attributes: [
      integerAttribute('post_transform', transform),
      integersAttribute('tree_roots', [0n]),
      tensorAttribute('leaf_weights', floatTensor('', [leaves.length], leaves)),
    ],
  });
}

describe('a graph that ends in', () => {
  it.each(ENDS)('%s gives probabilities: %s', async (_, areProbabilities, model) => {
    expect((await readGraph(bytesSource(model))).probabilities.has('y')).toBe(areProbabilities);
  });
});

const IMAGE = readFileSync(new URL('../../fixtures/digits/07-label-7.png', import.meta.url));

/** Scores of a picture of 1 x 1: its red, green and blue. */
const colours = buildModel({
  nodes: [node('Flatten', ['x'], ['y'])],
  inputs: [tensorValue('x', FLOAT, ['n', 3, 1, 1])],
  outputs: [tensorValue('y', FLOAT, ['n', 3])],
});
const preprocess = [
  { step: 'decode' },
  { step: 'convert', mode: 'RGB' },
  { step: 'resize', width: 1, height: 1 },
  { step: 'layout', layout: 'NCHW' },
];
const image = { task: 'image-classification', preprocess, labels: ['red', 'green', 'blue'] };

describe('scores of images that are not probabilities', () => {
  const post = async (path: string, body: object, config: object = image) => {
    const host = await serveModels({ m: colours }, {}, { m: config });
    return await ask(host, {
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
    });
  };
  const content = IMAGE.toString('base64');
  const vertex = '/v1/projects/p/locations/l/endpoints/m:predict';

  it('are not called confidence', async () => {
    const { json } = await post('/models/m/predict', { image: content });
    expect(Object.keys(json)).toEqual(
      expect.arrayContaining(['prediction', 'class_id', 'scores', 'model', 'model_version']),
    );
    expect(json).not.toHaveProperty('confidence');
    expect(json).not.toHaveProperty('top_5');
    const { predictions } = (await post(vertex, { instances: [{ content }] })).json;
    expect(predictions).toEqual([
      { ids: expect.any(Array), displayNames: expect.any(Array), scores: expect.any(Array) },
    ]);
    expect(predictions[0].scores[0]).toBeGreaterThan(1);
  });

  it('cannot have a threshold of confidence', async () => {
    const parameters = { confidenceThreshold: 0.5 };
    const { status, json } = await post(vertex, { instances: [{ content }], parameters });
    expect([status, json.error.message]).toEqual([
      400,
      'Parameter "confidenceThreshold" is 0.5; the scores of this model are not probabilities, so expected none.',
    ]);
  });

  it('are probabilities if model.json says so', async () => {
    const config = { ...image, output: { probabilities: 'y' } };
    const { json } = await post('/models/m/predict', { image: content }, config);
    expect(Object.keys(json)).toEqual(expect.arrayContaining(['confidence', 'top_5']));
    expect(json).not.toHaveProperty('scores');
    const sure = { instances: [{ content }], parameters: { confidenceThreshold: 1 } };
    expect(Object.keys((await post(vertex, sure, config)).json.predictions[0])).toContain('confidences');
  });

  it('are described as what they are', async () => {
    const host = await serveModels({ m: colours }, {}, { m: image });
    const get = { method: 'GET', headers: {}, body: Buffer.alloc(0) };
    await ask(host, { ...get, path: '/models/m' });
    const body = Buffer.from(JSON.stringify({ image: content }));
    const headers = { 'content-type': 'application/json' };
    await ask(host, { method: 'POST', path: '/models/m/predict', headers, body });
    const { json } = await ask(host, { ...get, path: '/openapi.json' });
    const { properties, required } = json.components.schemas['Prediction.m'];
    expect(Object.keys(properties)).toEqual(['prediction', 'class_id', 'scores']);
    expect(required).toEqual(['prediction', 'class_id', 'scores']);
  });
});
