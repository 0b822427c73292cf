import { describe, expect, it } from 'vitest';
import { ask } from '../../support/ask.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  INT64,
  integerAttribute,
  integersAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';
import { serveModels } from '../../support/serve-models.ts';

const node = buildNode;

/** The output of recurrent networks: one step after the other, each with all instances. */
const timeMajor = buildModel({
  nodes: [node('Transpose', ['x'], ['y'], { attributes: [integersAttribute('perm', [2n, 0n, 1n])] })],
  inputs: [tensorValue('x', FLOAT, ['batch', 3, 'time'])],
  outputs: [tensorValue('y', FLOAT, ['time', 'batch', 3])],
});

/** A state of two layers, as recurrent networks take and give it. */
const stateful = buildModel({
  nodes: [node('Neg', ['state'], ['next']), node('Neg', ['x'], ['y'])],
  inputs: [tensorValue('x', FLOAT, ['batch', 2]), tensorValue('state', FLOAT, [2, 'batch', 3])],
  outputs: [tensorValue('y', FLOAT, ['batch', 2]), tensorValue('next', FLOAT, [2, 'batch', 3])],
});

/** The places of the positive values in one picture, of any number. */
const detector = buildModel({
  nodes: [
    node('Relu', ['x'], ['r']),
    node('NonZero', ['r'], ['places']),
    node('Transpose', ['places'], ['y']),
  ],
  inputs: [tensorValue('x', FLOAT, [1, 3])],
  outputs: [tensorValue('y', INT64, ['found', 2])],
});

/** Takes one picture at a time; the scores have no axis for it. */
const squeezed = buildModel({
  nodes: [node('Squeeze', ['x'], ['y'])],
  inputs: [tensorValue('x', FLOAT, [1, 3])],
  outputs: [tensorValue('y', FLOAT, [3])],
});

/** The mean of all instances together. */
const together = buildModel({
  opsets: { '': 13 },
  nodes: [node('ReduceMean', ['x'], ['y'], { attributes: [integersAttribute('axes', [0n])] })],
  inputs: [tensorValue('x', FLOAT, ['batch', 3])],
  outputs: [tensorValue('y', FLOAT, ['rows', 3])],
});

/** One number for all instances, before their outputs. */
const scaled = buildModel({
  nodes: [node('Mul', ['x', 'factor'], ['y'])],
  inputs: [tensorValue('factor', FLOAT, []), tensorValue('x', FLOAT, ['n', 2])],
  outputs: [tensorValue('y', FLOAT, ['n', 2])],
});

/** A computed shape, so that the number of axes of the output is unknown. */
const openRank = buildModel({
  nodes: [
    node('Shape', ['x'], ['size']),
    node('Cast', ['size'], ['numbers'], { attributes: [integerAttribute('to', FLOAT)] }),
    node('Cast', ['numbers'], ['target'], { attributes: [integerAttribute('to', INT64)] }),
    node('Reshape', ['x', 'target'], ['y']),
  ],
  inputs: [tensorValue('x', FLOAT, ['n', 'columns'])],
  outputs: [tensorValue('y', FLOAT)],
});

const models = { scaled, openRank, timeMajor, stateful, detector, squeezed, together };

const json = { 'content-type': 'application/json' };

/** Each way to list instances, and where their answers are. */
const WAYS: Readonly<
  Record<
    string,
    { path: (model: string) => string; body: (instances: readonly unknown[]) => unknown; key?: string }
  >
> = {
  'TensorFlow Serving': {
    path: (model) => `/v1/models/${model}:predict`,
    body: (instances) => ({ instances }),
    key: 'predictions',
  },
  'Vertex AI': {
    path: (model) => `/v1/projects/p/locations/l/endpoints/${model}:predict`,
    body: (instances) => ({ instances }),
    key: 'predictions',
  },
  SageMaker: {
    path: (model) => `/endpoints/${model}/invocations`,
    body: (instances) => ({ instances }),
    key: 'predictions',
  },
  TorchServe: {
    path: (model) => `/predictions/${model}`,
    body: (instances) => ({ instances }),
    key: 'predictions',
  },
};

async function predict(host: TestHost, way: string, model: string, instances: readonly unknown[]) {
  const { path, body, key } = WAYS[way] ?? {};
  if (!path || !body) throw new Error(`there is no way ${way}`);
  const answer = await ask(host, {
    method: 'POST',
    path: path(model),
    headers: json,
    body: Buffer.from(JSON.stringify(body(instances))),
  });
  return answer.status === 200 ? answer.json[key ?? ''] : JSON.stringify(answer.json);
}

describe.each(Object.keys(WAYS))('instances by %s', (way) => {
  it('are answered each by its own part of a time-major output', async () => {
    const host = await serveModels(models);
    const [first, second, third] = [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [
        [0, 0],
        [0, 0],
        [0, 7],
      ],
      [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
    ];
    expect(await predict(host, way, 'timeMajor', [first, second, third])).toEqual([
      [
        [1, 3, 5],
        [2, 4, 6],
      ],
      [
        [0, 0, 0],
        [0, 0, 7],
      ],
      [
        [1, 1, 1],
        [0, 0, 0],
      ],
    ]);
  });

  it.each([1, 2, 3])('bring %i states, each to its own place', async (count) => {
    const host = await serveModels(models);
    const instances = Array.from({ length: count }, (_, index) => ({
      x: [index + 1, 1],
      state: [
        [index + 1, 10, 20],
        [index + 2, 30, 40],
      ],
    }));
    expect(await predict(host, way, 'stateful', instances)).toEqual(
      instances.map(({ x, state }) => ({
        y: x.map((value) => -value),
        next: state.map((layer) => layer.map((value) => -value)),
      })),
    );
  });

  it('are answered each by what a graph for one of them gives', async () => {
    const host = await serveModels(models);
    expect(
      await predict(host, way, 'squeezed', [
        [1, 2, 3],
        [4, 5, 6],
      ]),
    ).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(await predict(host, way, 'detector', [[1, 0, 1]])).toEqual([
      [
        [0, 0],
        [0, 2],
      ],
    ]);
    // Here the output has as many rows as there are instances.
    expect(
      await predict(host, way, 'detector', [
        [1, 0, 1],
        [0, 0, 0],
      ]),
    ).toMatch(
      /Output \\"y\\" has the shape \[1,2,2\] for some instances and \[1,0,2\] for others, .* send 1 at a time/,
    );
  });

  it('are answered next to a number for all of them, and before unknown axes', async () => {
    const host = await serveModels(models);
    expect(await predict(host, way, 'scaled', [{ factor: 3, x: [1, 2] }])).toEqual([[3, 6]]);
    const rows = [
      [1, 2],
      [3, 4],
    ];
    expect(await predict(host, way, 'openRank', rows)).toEqual(rows);
  });

  it('are refused where an output has no axis for them', async () => {
    const host = await serveModels(models);
    const instances = [
      [1, 2, 3],
      [1, 2, 3],
    ];
    expect(await predict(host, way, 'together', instances)).toMatch(
      /Output \\"y\\" has the shape \[1,3\], which has no axis for the 2 instances; send \\"inputs\\"/,
    );
  });
});

describe('lines', () => {
  it('are answered each by its own part', async () => {
    const host = await serveModels(models);
    const send = async (model: string, lines: readonly unknown[]) =>
      await ask(host, {
        method: 'POST',
        path: `/endpoints/${model}/invocations`,
        headers: { 'content-type': 'application/jsonlines', accept: 'application/json' },
        body: Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
      });
    const lines = [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [
        [0, 0],
        [0, 0],
        [0, 7],
      ],
    ];
    expect((await send('timeMajor', lines)).json).toEqual([
      [
        [1, 3, 5],
        [2, 4, 6],
      ],
      [
        [0, 0, 0],
        [0, 0, 7],
      ],
    ]);
    expect(
      (
        await send('detector', [
          [1, 0, 1],
          [0, 0, 0],
        ])
      ).text,
    ).toBe('[[[0,0],[0,2]],[]]');
  });
});

describe('whole inputs', () => {
  it('are answered as the graph gives its outputs', async () => {
    const host = await serveModels(models);
    const x = [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [
        [0, 0],
        [0, 0],
        [0, 7],
      ],
      [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
    ];
    const expected = [
      [
        [1, 3, 5],
        [0, 0, 0],
        [1, 1, 1],
      ],
      [
        [2, 4, 6],
        [0, 0, 7],
        [0, 0, 0],
      ],
    ];
    const send = async (path: string, body: unknown) =>
      (await ask(host, { method: 'POST', path, headers: json, body: Buffer.from(JSON.stringify(body)) }))
        .json;
    expect(await send('/v1/models/timeMajor:predict', { inputs: x })).toEqual({ outputs: expected });
    expect(
      await send('/v2/models/timeMajor/infer', {
        inputs: [{ name: 'x', shape: [3, 3, 2], datatype: 'FP32', data: x }],
      }),
    ).toMatchObject({
      outputs: [{ shape: [2, 3, 3], data: expected.flat(2) }],
    });
  });
});

describe("Triton's configuration", () => {
  it.each([
    ['timeMajor', 0, [[-1, 3, -1]], [[-1, -1, 3]]],
    [
      'stateful',
      0,
      [
        [-1, 2],
        [2, -1, 3],
      ],
      [
        [-1, 2],
        [2, -1, 3],
      ],
    ],
    ['detector', 0, [[1, 3]], [[-1, 2]]],
  ])('of %s has max_batch_size %i', async (model, size, inputs, outputs) => {
    const host = await serveModels(models);
    const path = `/v2/models/${model}/config`;
    const { json: config } = await ask(host, { method: 'GET', path, headers: {}, body: Buffer.alloc(0) });
    const dims = (values: readonly { readonly dims: readonly number[] }[]) =>
      values.map((value) => value.dims);
    expect([config.max_batch_size, dims(config.input), dims(config.output)]).toEqual([size, inputs, outputs]);
  });
});
