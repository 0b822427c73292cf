import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../shared/runtime/session.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import {
  BOOL,
  buildFunction,
  buildModel,
  buildNode,
  FLOAT,
  graphAttribute,
  INT64,
  initializer,
  integerAttribute,
  tensorAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { scalar } from '../../support/loops.ts';
import { inferOutput, serve, tensorsInput } from '../../support/make-inference.ts';
import { makeTrials } from '../../support/trials.ts';
import { type Outcome, requestInChild } from './request-in-child.ts';

const LARGEST_INT64 = 2n ** 63n - 1n;

interface LoopParts {
  /** Its number of turns; '' where a condition alone ends it. */
  readonly count?: string;
  readonly x?: string;
  readonly y?: string;
  /** Nodes of its body that give `again`. */
  readonly condition?: readonly Uint8Array[];
  /** Nodes of its body that give `next` out of `before`. */
  readonly turn?: readonly Uint8Array[];
}

/** A loop that runs while the number of its turn is less than `stop`. */
function loop(parts: LoopParts = {}): Uint8Array {
  const { count = '', x = 'x', y = 'y', condition = whileLess('stop', y), turn = cosine(y) } = parts;
  const body = graphAttribute('body', {
    inputs: [
      tensorValue(`${y} turn`, INT64, []),
      tensorValue(`${y} on`, BOOL, []),
      tensorValue(`${y} before`, FLOAT),
    ],
    nodes: [...condition, ...turn],
    outputs: [tensorValue(`${y} again`, BOOL, []), tensorValue(`${y} next`, FLOAT)],
  });
  return buildNode('Loop', [count, '', x], [y], { attributes: [body] });
}

const whileLess = (stop: string, y = 'y') => [
  buildNode('Cast', [`${y} turn`], [`${y} done`], { attributes: [integerAttribute('to', 11)] }),
  buildNode('Less', [`${y} done`, stop], [`${y} again`]),
];
const cosine = (y = 'y') => [
  buildNode('Cos', [`${y} before`], [`${y} cosine`]),
  buildNode('Add', [`${y} before`, `${y} cosine`], [`${y} next`]),
];
const truth = (name: string) =>
  buildNode('Constant', [], [name], {
    attributes: [tensorAttribute('value', initializer('', BOOL, [], Uint8Array.of(1)))],
  });

const X = tensorValue('x', FLOAT, ['n']);
const STOP = tensorValue('stop', 11, []);
const INPUTS = [X, STOP];
const OUTPUTS = [tensorValue('y', FLOAT)];

const model = (nodes: readonly Uint8Array[], opset = 18) =>
  buildModel({ nodes, inputs: INPUTS, outputs: OUTPUTS, opsets: { '': opset } });
/** Turns for each number, one more than it says. */
const stopAt = (stop: number, rows = 2): NamedTensors =>
  new Map([
    [
      'x',
      createTensor(
        'FP32',
        [rows],
        Array.from({ length: rows }, (_, at) => Math.sin(at)),
      ),
    ],
    ['stop', createTensor('FP64', [], [stop])],
  ]);

const inFunction = buildModel({
  nodes: [buildNode('While', ['x', 'stop'], ['y'], { domain: 'local' })],
  inputs: INPUTS,
  outputs: OUTPUTS,
  opsets: { '': 18, local: 1 },
  functions: [buildFunction({ name: 'While', inputs: ['x', 'stop'], outputs: ['y'], nodes: [loop()] })],
});
const inBranch = model([
  truth('yes'),
  buildNode('If', ['yes'], ['y'], {
    attributes: ['then_branch', 'else_branch'].map((name) =>
      graphAttribute(name, { nodes: [loop({ y: name })], outputs: [tensorValue(name, FLOAT)] }),
    ),
  }),
]);
const inLoop = (counts: Pick<LoopParts, 'count'>, before: readonly Uint8Array[] = []) =>
  model([
    ...before,
    loop({ ...counts, turn: [loop({ ...counts, x: 'y before', y: 'inner' }), rename('inner', 'y next')] }),
  ]);
function rename(from: string, to: string): Uint8Array {
  return buildNode('Identity', [from], [to]);
}
const toInteger = buildNode('Cast', ['stop'], ['count'], { attributes: [integerAttribute('to', INT64)] });

/** Loops that a client can keep running, with feeds that end them and feeds that do not. */
const ENDLESS: readonly (readonly [
  name: string,
  model: Uint8Array,
  ends: NamedTensors,
  goesOn?: NamedTensors,
])[] = [
  ...[7, 13, 21].map(
    (opset) => [`no count, in operator set ${opset}`, model([loop()], opset), stopAt(99_999)] as const,
  ),
  ['the last turn that there may be', model([loop()]), stopAt(2 ** 20 - 1), stopAt(2 ** 20)],
  ['the largest count', model([scalar('m', LARGEST_INT64), loop({ count: 'm' })]), stopAt(99_999)],
  ['a count of 2^31', model([scalar('m', 2n ** 31n), loop({ count: 'm' })]), stopAt(99_999)],
  [
    'a count that is passed through a node',
    model([scalar('m', LARGEST_INT64), rename('m', 'n'), loop({ count: 'n' })]),
    stopAt(99_999),
  ],
  [
    'a count that is computed of constants',
    model([scalar('m', 2n ** 20n), buildNode('Mul', ['m', 'm'], ['n']), loop({ count: 'n' })]),
    stopAt(99_999),
  ],
  [
    'a condition that is an input',
    model([
      buildNode('Cast', ['stop'], ['go'], { attributes: [integerAttribute('to', BOOL)] }),
      loop({ condition: [rename('go', 'y again')] }),
    ]),
    stopAt(0),
    stopAt(1),
  ],
  [
    'a condition that is a list of one',
    model(
      [
        buildNode('Constant', [], ['one'], { attributes: [integerAttribute('value_int', 1)] }),
        buildNode('Reshape', ['stop', 'one list'], ['stops']),
        loop({ condition: whileLess('stops') }),
      ].toSpliced(0, 1, scalarList('one list')),
    ),
    stopAt(99_999),
  ],
  ['a loop in a branch', inBranch, stopAt(99_999)],
  ['a loop in a function', inFunction, stopAt(99_999)],
  ['a loop in a loop', inLoop({}), stopAt(500), stopAt(5000)],
  [
    'two loops after each other, with one count',
    model([toInteger, loop({ count: 'count', y: 'z' }), loop({ count: 'count', x: 'z' })]),
    stopAt(1000),
  ],
  ['counts of a loop in a loop', inLoop({ count: 'count' }, [toInteger]), stopAt(1000), stopAt(5000)],
];

function scalarList(name: string): Uint8Array {
  return buildNode('Constant', [], [name], {
    attributes: [
      tensorAttribute('value', initializer('', INT64, [1], new Uint8Array(BigInt64Array.of(1n).buffer))),
    ],
  });
}

/** Loops whose number of turns is in the file. */
const LONG: readonly (readonly [name: string, model: Uint8Array, feeds: NamedTensors])[] = [
  ['a constant count', model([scalar('m', 2n ** 21n), loop({ count: 'm' })]), stopAt(2 ** 40)],
  [
    'a count that is computed of constants',
    model([
      scalar('m', 2n ** 7n),
      scalar('n', 2n ** 14n),
      buildNode('Mul', ['m', 'n'], ['mn']),
      loop({ count: 'mn' }),
    ]),
    stopAt(2 ** 40),
  ],
  [
    'a count that is made of sizes',
    model([
      buildNode('Size', ['x'], ['a']),
      ...[
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'd'],
      ].map(([from = '', to = '']) => buildNode('Mul', [from, from], [to])),
      loop({ count: 'd' }),
    ]),
    stopAt(2 ** 40, 6),
  ],
];

const REFUSAL: Outcome = {
  kind: 'refused',
  name: 'InferenceError',
  message: 'The model takes more than 1048576 loop iterations for these inputs, which is the limit.',
  code: 'INVALID_PARAMETER_VALUE',
};

describe('a loop that a client can keep running', async () => {
  const outcomes = await requestInChild([
    ...ENDLESS.map(([, model, , feeds = stopAt(2 ** 60)]) => ({ model, feeds })),
    ...ENDLESS.map(([, model, feeds]) => ({ model, feeds, isCompared: true })),
  ]);

  it.each(ENDLESS.map(([name], index) => [name, outcomes[index], outcomes[ENDLESS.length + index]] as const))(
    'is ended, and gives the same bits as without where it ends by itself: %s',
    (_, endless, ended) => {
      expect(endless).toEqual(REFUSAL);
      expect(ended).toMatchObject({ kind: 'answered' });
      if (ended?.kind === 'answered') expect(ended.tensors).toEqual(ended.bare);
    },
  );
});

describe('a loop of 2^21 turns', async () => {
  const outcomes = await requestInChild(LONG.map(([, model, feeds]) => ({ model, feeds, isCompared: true })));

  it.each(LONG.map(([name], index) => [name, outcomes[index]] as const))(
    'is run to its end: %s',
    (_, outcome) => {
      expect(outcome).toMatchObject({ kind: 'answered' });
      if (outcome?.kind === 'answered') expect(outcome.tensors).toEqual(outcome.bare);
    },
  );
});

it('a loop that never ends by itself is refused when the model is loaded', async () => {
  const endless = buildModel({
    nodes: [loop({ condition: [rename('y on', 'y again')] })],
    inputs: [X],
    outputs: OUTPUTS,
  });
  const { message } = await rejectionOf(
    inferOutput(
      // A slow machine takes more than ten seconds for all the turns.
      await serve({ 'model.onnx': endless }, { trials: makeTrials({ limitMs: 100_000 }) }),
      tensorsInput([0]),
    ),
  );
  expect(message).toBe(
    'Model "m" version "1" cannot be loaded: its Loop can take more than 1000 iterations, so it was tried in a separate process, ' +
      'which did not end within 1048576 iterations.',
  );
});
