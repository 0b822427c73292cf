import { describe, expect, it, onTestFinished } from 'vitest';
import { referenceAttribute } from '../../../shared/onnx/encode-node.ts';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { GUARDS, guardOperators } from '../../../shared/onnx/guard-operators.ts';
import { findGuards } from '../../../shared/onnx/guard-search.ts';
import { bytesSource } from '../../../shared/onnx/protobuf.ts';
import { rewriteModel } from '../../../shared/onnx/rewrite-model.ts';
import { createSession, type NamedTensors } from '../../../shared/runtime/session.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import {
  BOOL,
  buildFunction,
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  graphAttribute,
  INT64,
  initializer,
  int64Initializer,
  integerAttribute,
  integersAttribute,
  tensorAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { inMemory } from '../../support/in-memory.ts';

const ENDS = {
  inputs: [tensorValue('x', FLOAT)],
  outputs: [tensorValue('v', FLOAT), tensorValue('i', INT64)],
};
const constant = (name: string, tensor: Uint8Array) =>
  buildNode('Constant', [], [name], { attributes: [tensorAttribute('value', tensor)] });
const integers = (name: string, values: readonly number[]) => constant(name, int64Initializer('', values));
const truth = (name: string) => constant(name, initializer('', BOOL, [], Uint8Array.of(1)));

interface TopKOptions {
  readonly opset?: number;
  readonly k?: number;
  readonly axis?: number;
}

function topKModel({ opset = 18, k = 2, axis }: TopKOptions): Uint8Array {
  const attributes = axis === undefined ? [] : [integerAttribute('axis', axis)];
  const node =
    opset < 10
      ? buildNode('TopK', ['x'], ['v', 'i'], { attributes: [...attributes, integerAttribute('k', k)] })
      : buildNode('TopK', ['x', 'k'], ['v', 'i'], { attributes });
  const initializers = opset < 10 ? [] : [int64Initializer('k', [k])];
  return buildModel({ ...ENDS, nodes: [node], initializers, opsets: { '': opset } });
}

const guard = (model: Uint8Array) => rewriteModel(bytesSource(model), [guardOperators(2 ** 26)]);

async function run(model: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Promise<NamedTensors> {
  const session = await createSession(inMemory(model), { intraOpThreads: 1 });
  onTestFinished(() => session.release());
  return await session.run(new Map(Object.entries(feeds)));
}

const describeTensors = (tensors: NamedTensors) =>
  [...tensors].map(([name, { datatype, shape, data }]) => [name, datatype, shape, [...data]]);

const numbers = (shape: readonly number[], values: readonly number[] = []) =>
  createTensor('FP32', shape, values);
const nothing = (shape: readonly number[]) => [
  ['v', 'FP32', shape, []],
  ['i', 'INT64', shape, []],
];

/** Many numbers with ties, infinities, NaN and both zeros. */
const MANY = Float32Array.from({ length: 3 * 40 * 5 }, (_, at) =>
  at % 17 === 0 ? ([Number.NaN, -0, 0, Number.POSITIVE_INFINITY][at % 4] ?? 0) : Math.sin(at * at) * (at % 7),
);

const OPSETS = Array.from({ length: 26 }, (_, index) => index + 1);

const TOO_MANY_ELEMENTS = /ternion: too many elements/;

describe('a guarded TopK', () => {
  it.each(OPSETS)('gives the same bits as without, in operator set %i', async (opset) => {
    for (const axis of [undefined, -1, 0, 1, -3]) {
      const model = topKModel({ opset, k: 3, ...(axis !== undefined && { axis }) });
      const x: Tensor = { datatype: 'FP32', shape: [3, 40, 5], data: MANY };
      expect(describeTensors(await run(guard(model), { x }))).toEqual(
        describeTensors(await run(model, { x })),
      );
    }
  });

  it.each(OPSETS.filter((opset) => opset >= 6))(
    'gives an empty answer of the right shape for no rows, in operator set %i',
    async (opset) => {
      const cases = [
        [[0, 4], undefined, 2, [0, 2]],
        [[0, 4], 1, 4, [0, 4]],
        [[3, 0, 4], -1, 3, [3, 0, 3]],
        [[0, 5, 4], 1, 5, [0, 5, 4]],
        [[0, 5, 4], -2, 1, [0, 1, 4]],
        [[2, 5, 0], -2, 3, [2, 3, 0]],
      ] as const;
      for (const [shape, axis, k, expected] of cases) {
        const model = guard(topKModel({ opset, k, ...(axis !== undefined && { axis }) }));
        expect(describeTensors(await run(model, { x: numbers(shape) }))).toEqual(nothing(expected));
      }
    },
  );

  it.each([1, 5])(
    'refuses an input without rows in operator set %i, whose operators cannot make an answer',
    async (opset) => {
      await expect(run(guard(topKModel({ opset })), { x: numbers([0, 4]) })).rejects.toThrow(
        /out of data bounds/,
      );
    },
  );

  it.each([6, 9, 10, 18, 26])('refuses a k larger than the axis, in operator set %i', async (opset) => {
    for (const shape of [
      [0, 4],
      [0, 1],
      [3, 0],
      [2, 4],
    ]) {
      const rejected = run(guard(topKModel({ opset, k: 5 })), {
        x: numbers(
          shape,
          Array(8)
            .fill(1)
            .slice(0, (shape[0] ?? 0) * (shape[1] ?? 0)),
        ),
      });
      await expect(rejected).rejects.toThrow('Non-zero status code returned while running');
    }
  });

  it.each([
    ['FP32', 1],
    ['FP64', 11],
    ['INT32', 6],
    ['INT64', 7],
  ] as const)('knows %s', async (datatype, code) => {
    const model = buildModel({
      nodes: [buildNode('TopK', ['x', 'k'], ['v', 'i'])],
      inputs: [tensorValue('x', code, ['n', 3])],
      outputs: [tensorValue('v', code), tensorValue('i', INT64)],
      initializers: [int64Initializer('k', [2])],
    });
    const results = await run(guard(model), { x: createTensor(datatype, [0, 3], []) });
    expect(describeTensors(results)).toEqual([
      ['v', datatype, [0, 2], []],
      ['i', 'INT64', [0, 2], []],
    ]);
  });

  it('takes k from a request, or from another node', async () => {
    const model = guard(
      buildModel({
        nodes: [buildNode('Add', ['k', 'k'], ['twice']), buildNode('TopK', ['x', 'twice'], ['v', 'i'])],
        inputs: [...ENDS.inputs, tensorValue('k', INT64, [1])],
        outputs: ENDS.outputs,
      }),
    );
    const k = (value: number) => createTensor('INT64', [1], [value]);
    const x = numbers([0, 4]);
    expect(describeTensors(await run(model, { x, k: k(2) }))).toEqual(nothing([0, 4]));
    expect(describeTensors(await run(model, { x, k: k(0) }))).toEqual(nothing([0, 0]));
    // The runtime's own check takes 2^32 + 2 for 2.
    for (const value of [-1, 3, 2 ** 31 + 1]) {
      await expect(run(model, { x, k: k(value) })).rejects.toThrow(/out of data bounds/);
    }
  });

  it.each([
    [
      'Compress',
      [constant('none', initializer('', BOOL, [2], Uint8Array.of(0, 0)))],
      ['x', 'none'],
      [integerAttribute('axis', 0)],
    ],
    ['Slice', [integers('from', [9]), integers('to', [99])], ['x', 'from', 'to'], []],
    ['Gather', [constant('none', initializer('', INT64, [0], new Uint8Array()))], ['x', 'none'], []],
  ] as const)('takes what a %s before it leaves over', async (filter, before, inputs, attributes) => {
    const model = guard(
      buildModel({
        ...ENDS,
        nodes: [
          ...before,
          buildNode(filter, inputs, ['filtered'], { attributes }),
          buildNode('TopK', ['filtered', 'k'], ['v', 'i']),
        ],
        initializers: [int64Initializer('k', [2])],
      }),
    );
    expect(describeTensors(await run(model, { x: numbers([2, 3], [1, 2, 3, 4, 5, 6]) }))).toEqual(
      nothing([0, 2]),
    );
  });

  it('is left to the runtime where one of its outputs is missing', () => {
    for (const outputs of [['v'], ['v', ''], ['', 'i']]) {
      const model = buildModel({ ...ENDS, nodes: [buildNode('TopK', ['x', 'k'], outputs)] });
      expect(Buffer.compare(guard(model), model)).toBe(0);
    }
  });

  it('is recognised by both names of the default domain, and in no other domain', async () => {
    const ofDomain = (domain: string) =>
      buildModel({ ...ENDS, nodes: [buildNode('TopK', ['x', 'k'], ['v', 'i'], { domain })] });
    const operatorsOf = async (model: Uint8Array) => (await readGraph(bytesSource(model))).operators;
    const operators = await Promise.all(
      ['', 'ai.onnx', 'com.example'].map((domain) => operatorsOf(ofDomain(domain))),
    );
    expect(operators.map((names) => [...names].map((name) => GUARDS.has(name)))).toEqual([
      [true],
      [true],
      [false],
    ]);
    expect(Buffer.compare(guard(ofDomain('com.example')), ofDomain('com.example'))).toBe(0);
    expect([...(await operatorsOf(guard(ofDomain('ai.onnx'))))].sort()).toContain('If');
  });
});

const topK = buildNode('TopK', ['data', 'two'], ['values', 'places']);
const inner = {
  nodes: [buildNode('Identity', ['x'], ['data']), integers('two', [2]), topK],
  outputs: [tensorValue('values', FLOAT), tensorValue('places', INT64)],
};
const again = {
  nodes: [buildNode('TopK', ['x', 'k'], ['own v', 'own i'])],
  outputs: [tensorValue('own v', FLOAT), tensorValue('own i', INT64)],
};

describe('a TopK inside something', () => {
  const branches = [graphAttribute('then_branch', inner), graphAttribute('else_branch', again)];
  const MODELS = {
    'a branch': buildModel({
      ...ENDS,
      nodes: [
        truth('yes'),
        integers('k', [2]),
        buildNode('If', ['yes'], ['v', 'i'], { attributes: branches }),
      ],
    }),
    'a branch of a branch': buildModel({
      ...ENDS,
      nodes: [
        truth('yes'),
        integers('k', [2]),
        buildNode('If', ['yes'], ['v', 'i'], {
          attributes: ['then_branch', 'else_branch'].map((name) =>
            graphAttribute(name, {
              nodes: [buildNode('If', ['yes'], [`${name} v`, `${name} i`], { attributes: branches })],
              outputs: [tensorValue(`${name} v`, FLOAT), tensorValue(`${name} i`, INT64)],
            }),
          ),
        }),
      ],
    }),
    'the body of a Loop': buildModel({
      ...ENDS,
      nodes: [
        truth('yes'),
        constant('once', initializer('', INT64, [], new Uint8Array(BigInt64Array.of(1n).buffer))),
        integers('two', [2]),
        buildNode('Loop', ['once', 'yes', 'x'], ['last', 'all v', 'all i'], {
          attributes: [
            graphAttribute('body', {
              inputs: [
                tensorValue('turn', INT64, []),
                tensorValue('on', BOOL, []),
                tensorValue('data', FLOAT),
              ],
              nodes: [
                buildNode('Identity', ['on'], ['again']),
                buildNode('Identity', ['data'], ['next']),
                topK,
              ],
              outputs: [tensorValue('again', BOOL, []), tensorValue('next', FLOAT), ...inner.outputs],
            }),
          ],
        }),
        integers('front', [0]),
        buildNode('Squeeze', ['all v', 'front'], ['v']),
        buildNode('Squeeze', ['all i', 'front'], ['i']),
      ],
    }),
    'a function': buildModel({
      ...ENDS,
      nodes: [buildNode('Best', ['x'], ['v', 'i'], { domain: 'local' })],
      opsets: { '': 18, local: 1 },
      functions: [
        buildFunction({
          name: 'Best',
          inputs: ['x'],
          outputs: ['values', 'places'],
          nodes: inner.nodes,
        }),
      ],
    }),
    'a function that gets the axis': functionOfAxis([integerAttribute('axis', -1)]),
  };

  it.each(Object.entries(MODELS))('is guarded in %s', async (_, model) => {
    const x = numbers([1, 4], [1, 4, 2, 3]);
    expect(describeTensors(await run(guard(model), { x }))).toEqual(describeTensors(await run(model, { x })));
    expect(describeTensors(await run(guard(model), { x: numbers([0, 4]) }))).toEqual(nothing([0, 2]));
  });

  it('refuses no rows where a function does not need the axis', async () => {
    const model = functionOfAxis(['axis']);
    const x = numbers([1, 4], [1, 4, 2, 3]);
    expect(describeTensors(await run(guard(model), { x }))).toEqual(describeTensors(await run(model, { x })));
    await expect(run(guard(model), { x: numbers([0, 4]) })).rejects.toThrow(/out of data bounds/);
  });

  it('is guarded in graphs that are nested deeper than calls can be', async () => {
    let nested: Pick<typeof inner, 'nodes' | 'outputs'> = inner;
    for (let depth = 0; depth < 3000; depth++) {
      const outputs = [tensorValue(`v${depth}`, FLOAT), tensorValue(`i${depth}`, INT64)];
      const attributes = [graphAttribute('then_branch', nested)];
      nested = { nodes: [buildNode('If', ['yes'], [`v${depth}`, `i${depth}`], { attributes })], outputs };
    }
    const guarded = guard(buildModel({ ...ENDS, nodes: nested.nodes }));
    expect((await readGraph(bytesSource(guarded))).operators.has('Size')).toBe(true);
  });
});

/** A function whose TopK has the axis that the caller names, or the one of its default. */
function functionOfAxis(attributes: readonly (string | Uint8Array)[]): Uint8Array {
  const reference = [referenceAttribute('axis', 'axis')];
  const node = buildNode('TopK', ['x', 'two'], ['values', 'places'], { attributes: reference });
  return buildModel({
    ...ENDS,
    nodes: [
      buildNode('Best', ['x'], ['v', 'i'], { domain: 'local', attributes: [integerAttribute('axis', 1)] }),
    ],
    opsets: { '': 18, local: 1 },
    functions: [
      buildFunction({
        name: 'Best',
        inputs: ['x'],
        outputs: ['values', 'places'],
        nodes: [integers('two', [2]), node],
        attributes,
      }),
    ],
  });
}

describe.each([
  ['LSTM', 4],
  ['GRU', 3],
])('a guarded %s', (operator, gates) => {
  const weights = (name: string, rows: number, width: number) =>
    floatInitializer(
      name,
      [1, rows, width],
      Array.from({ length: rows * width }, (_, at) => Math.sin(at + 1)),
    );
  const model = (outputs: readonly string[], steps = 'steps') =>
    buildModel({
      nodes: [
        buildNode(operator, ['x', 'w', 'r'], outputs, { attributes: [integerAttribute('hidden_size', 5)] }),
      ],
      inputs: [tensorValue('x', FLOAT, [steps, 'sequences', 3])],
      outputs: outputs.filter((name) => name !== '').map((name) => tensorValue(name, FLOAT)),
      initializers: [weights('w', gates * 5, 3), weights('r', gates * 5, 5)],
    });

  it.each([[['y']], [['y', 'last']], [['', 'last']]])(
    'gives the same bits as without: %j',
    async (outputs) => {
      const x: Tensor = {
        datatype: 'FP32',
        shape: [8, 5, 3],
        data: MANY.slice(0, 120).map((value) => value || 0.5),
      };
      const found = describeTensors(await run(guard(model(outputs)), { x }));
      expect(found).toEqual(describeTensors(await run(model(outputs), { x })));
      expect(found).toHaveLength(outputs.filter((name) => name !== '').length);
    },
  );

  it('refuses no sequences', async () => {
    for (const outputs of [['y'], ['', 'last']]) {
      await expect(run(guard(model(outputs)), { x: numbers([2, 0, 3]) })).rejects.toThrow(
        /out of data bounds/,
      );
      await expect(run(guard(model(outputs)), { x: numbers([0, 0, 3]) })).rejects.toThrow(
        /out of data bounds/,
      );
    }
  });

  it(operator === 'LSTM' ? 'takes no steps, as without' : 'refuses no steps', async () => {
    const x = numbers([0, 2, 3]);
    if (operator === 'GRU') {
      await expect(run(guard(model(['y'])), { x })).rejects.toThrow(/out of data bounds/);
      return;
    }
    expect(describeTensors(await run(guard(model(['y'])), { x }))).toEqual(
      describeTensors(await run(model(['y']), { x })),
    );
  });
});

describe('an operator that makes many elements from each', () => {
  const twice = (times: number) =>
    buildModel({
      nodes: [buildNode('Tile', ['x', 'times'], ['t']), buildNode('Tile', ['t', 'times'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n'])],
      outputs: [tensorValue('y', FLOAT)],
      initializers: [int64Initializer('times', [times])],
    });

  it('is guarded wherever it is again', async () => {
    const model = guard(twice(5000));
    const { y } = Object.fromEntries(await run(model, { x: numbers([2], [1, 2]) }));
    expect(y?.shape).toEqual([2 * 5000 ** 2]);
    await expect(run(model, { x: numbers([3], [1, 2, 3]) })).rejects.toThrow(TOO_MANY_ELEMENTS);
  });

  it.each(['AveragePool', 'MaxPool', 'LpPool'])('is guarded where %s adds as many by padding', (operator) => {
    const padded = (pad: number) =>
      buildModel({
        nodes: [
          buildNode(operator, ['x'], ['y'], {
            attributes: [
              integersAttribute('kernel_shape', [2n]),
              integersAttribute('pads', [BigInt(pad), BigInt(pad)]),
            ],
          }),
        ],
        inputs: [tensorValue('x', FLOAT, [1, 1, 'n'])],
        outputs: [tensorValue('y', FLOAT)],
      });
    const edits = (pad: number) => findGuards(bytesSource(padded(pad)), 2 ** 26, GUARDS).edits.length;
    expect(edits(5000)).toBeGreaterThan(edits(1));
  });

  it('is unchanged where honest models make as many', () => {
    expect(findGuards(bytesSource(twice(4096)), 2 ** 26, GUARDS)).toEqual({ edits: [], refusals: [] });
    expect(findGuards(bytesSource(twice(4097)), 2 ** 26, GUARDS).edits).not.toEqual([]);
  });
});

describe('operands that a client sends and that are stretched to each other', () => {
  const FREE = ['a', 'b'] as const;
  const other = ['c', 'd'];
  const model = (
    nodes: Parameters<typeof buildModel>[0]['nodes'],
    shapes: Readonly<Record<string, readonly (string | number)[] | undefined>> = { x: FREE, y: other },
    opset = 18,
  ) =>
    buildModel({
      nodes,
      opsets: { '': opset },
      inputs: Object.entries(shapes).map(([name, shape]) => tensorValue(name, FLOAT, shape)),
      outputs: [tensorValue('z', FLOAT)],
      initializers: [int64Initializer('first', [0]), int64Initializer('last', [2])],
    });
  const add = model([buildNode('Add', ['x', 'y'], ['z'])]);
  const row = (size: number) => numbers([1, size], new Array<number>(size).fill(2));
  const column = (size: number) => numbers([size, 1], new Array<number>(size).fill(1));
  const isGuarded = (bytes: Uint8Array) => findGuards(bytesSource(bytes), 2 ** 26, GUARDS).edits.length > 0;

  it('may become as many elements as there is room for', async () => {
    const { z } = Object.fromEntries(await run(guard(add), { x: column(300), y: row(200) }));
    expect([z?.shape, z?.data[0], z?.data.length]).toEqual([[300, 200], 3, 60_000]);
    await expect(run(guard(add), { x: column(9000), y: row(9000) })).rejects.toThrow(TOO_MANY_ELEMENTS);
    await expect(run(guard(add), { x: row(9000), y: column(9000) })).rejects.toThrow(TOO_MANY_ELEMENTS);
    expect((await run(guard(add), { x: numbers([0, 1]), y: row(3) })).get('z')?.shape).toEqual([0, 3]);
  });

  it.each<[string, Uint8Array, Readonly<Record<string, Tensor>>]>([
    [
      'three of them',
      model([buildNode('Max', ['x', 'y', 'w'], ['z'])], { x: ['a', 1, 1], y: [1, 'b', 1], w: [1, 1, 'c'] }),
      {
        x: numbers([500, 1, 1], new Array<number>(500).fill(1)),
        y: numbers([1, 500, 1], new Array<number>(500).fill(1)),
        w: numbers([1, 1, 500], new Array<number>(500).fill(1)),
      },
    ],
    [
      'one with itself on other axes',
      model(
        [
          buildNode('Unsqueeze', ['x', 'first'], ['rows']),
          buildNode('Unsqueeze', ['x', 'last'], ['columns']),
          buildNode('Mul', ['rows', 'columns'], ['z']),
        ],
        { x: ['batch', 'length'] },
      ),
      { x: row(9000) },
    ],
    [
      'what became of them',
      model([
        buildNode('Relu', ['x'], ['r']),
        buildNode('Neg', ['y'], ['n']),
        buildNode('Exp', ['n'], ['e']),
        buildNode('PRelu', ['r', 'e'], ['z']),
      ]),
      { x: column(9000), y: row(9000) },
    ],
    [
      'those of a rank that is open',
      model([buildNode('Sub', ['x', 'y'], ['z'])], { x: undefined, y: undefined }),
      { x: column(9000), y: row(9000) },
    ],
    [
      'one with itself, then with another',
      model([buildNode('Mul', ['x', 'x'], ['s']), buildNode('Add', ['s', 'y'], ['z'])]),
      { x: column(9000), y: row(9000) },
    ],
    [
      'two, and then a third',
      model([buildNode('Add', ['x', 'y'], ['s']), buildNode('Add', ['s', 'w'], ['z'])], {
        x: ['a', 1, 1],
        y: [1, 'b', 1],
        w: [1, 1, 'c'],
      }),
      {
        x: numbers([500, 1, 1], new Array<number>(500).fill(1)),
        y: numbers([1, 500, 1], new Array<number>(500).fill(1)),
        w: numbers([1, 1, 500], new Array<number>(500).fill(1)),
      },
    ],
    [
      'those of operator set 7',
      model([buildNode('Add', ['x', 'y'], ['z'])], { x: FREE, y: other }, 7),
      { x: column(9000), y: row(9000) },
    ],
    [
      'those of fewer axes in operator set 7',
      model([buildNode('Mul', ['x', 'y'], ['z'])], { x: ['a', 1], y: ['b'] }, 7),
      { x: column(9000), y: numbers([9000], new Array<number>(9000).fill(1)) },
    ],
  ])('are refused: %s', async (_, bytes, feeds) => {
    await expect(run(guard(bytes), feeds)).rejects.toThrow(TOO_MANY_ELEMENTS);
  });

  it.each<[string, Uint8Array]>([
    ['one of the same shape', model([buildNode('Relu', ['x'], ['r']), buildNode('Mul', ['x', 'r'], ['z'])])],
    ['axes of the same names', model([buildNode('Add', ['x', 'y'], ['z'])], { x: FREE, y: FREE })],
    ['one axis that is open', model([buildNode('Add', ['x', 'y'], ['z'])], { x: ['a', 3], y: ['b', 3] })],
    ['one value for each column', model([buildNode('Add', ['x', 'y'], ['z'])], { x: ['a', 3], y: [3] })],
  ])('are left as they are with %s', (_, bytes) => {
    expect(isGuarded(bytes)).toBe(false);
    expect(isGuarded(add)).toBe(true);
  });
});
