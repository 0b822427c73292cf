import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { findGuards } from '../../../shared/onnx/guard-search.ts';
import { USUAL_GUARDS } from '../../../shared/onnx/guard-usual.ts';
import { haveOneOpenOperand } from '../../../shared/onnx/open-operands.ts';
import { canNeedGuard } from '../../../shared/onnx/operator-kinds.ts';
import { bytesSource } from '../../../shared/onnx/protobuf.ts';
import { walkModel } from '../../../shared/onnx/walk.ts';
import {
  buildFunction,
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  INT64,
  initializer,
  tensorValue,
} from '../../support/build-model.ts';

const WEIGHTS = [
  floatInitializer('scale', [2], [3, 4]),
  floatInitializer('matrix', [2, 2], [1, 2, 3, 4]),
  initializer('whole', INT64, [2], new Uint8Array(BigInt64Array.of(-1n, 5n).buffer)),
];
const INPUTS = [tensorValue('x', FLOAT, ['n', 2]), tensorValue('w', INT64, ['m', 'n'])];

function build(nodes: readonly Uint8Array[], functions: readonly Uint8Array[] = []) {
  const outputs = [tensorValue('y', FLOAT, ['', ''])];
  return bytesSource(buildModel({ nodes, inputs: INPUTS, outputs, initializers: WEIGHTS, functions }));
}

/** What the graph reader asks. */
function isLeftOut(source: ReturnType<typeof build>): boolean {
  const messages = [...walkModel(source)];
  return haveOneOpenOperand(
    source,
    messages.filter(({ kind, operator }) => kind === 'node' && canNeedGuard(operator)),
    messages.filter(({ kind, parent }) => kind === 'tensor' && parent?.kind === 'graph'),
  );
}

/** The changes that the code for guards makes, if almost nothing may be large. */
const editsOf = (source: ReturnType<typeof build>) => findGuards(source, 1, USUAL_GUARDS).edits.length;

describe('a graph whose nodes have one operand that is not a weight', () => {
  it.each([
    ['a layer', [buildNode('Gemm', ['x', 'matrix', 'scale'], ['a']), buildNode('Relu', ['a'], ['y'])]],
    ['weights before the operand', [buildNode('MatMul', ['matrix', 'x'], ['y'])]],
    [
      'float numbers by weights',
      [buildNode('Sub', ['x', 'scale'], ['a']), buildNode('Div', ['a', 'scale'], ['y'])],
    ],
    ['no nodes with guards', [buildNode('Relu', ['x'], ['y'])]],
  ])('needs no guard: %s', async (_, nodes) => {
    const source = build(nodes);
    expect(isLeftOut(source)).toBe(true);
    expect(editsOf(source)).toBe(0);
    expect((await readGraph(source)).guards).toEqual({ edits: [], refusals: [] });
  });

  it.each([
    ['two operands from the client', [buildNode('Add', ['x', 'w'], ['y'])], 1],
    ['one operand twice', [buildNode('Mul', ['x', 'x'], ['y'])], 0],
    ['whole numbers that -1 divides', [buildNode('Div', ['w', 'whole'], ['y'])], 1],
    ['small whole numbers as dividends', [buildNode('Div', ['whole', 'w'], ['y'])], 0],
    [
      'a division by what a node makes',
      [buildNode('Relu', ['scale'], ['a']), buildNode('Div', ['x', 'a'], ['y'])],
      0,
    ],
  ])('may need one otherwise: %s', (_, nodes, least) => {
    const source = build(nodes);
    expect(isLeftOut(source)).toBe(false);
    expect(editsOf(source)).toBeGreaterThanOrEqual(least);
  });

  it('may need one in a function, whose operands have names of their own', () => {
    const body = buildFunction({
      name: 'sum',
      inputs: ['x', 'scale'],
      outputs: ['y'],
      nodes: [buildNode('Add', ['x', 'scale'], ['y'])],
    });
    expect(isLeftOut(build([buildNode('sum', ['x', 'w'], ['y'], { domain: 'local' })], [body]))).toBe(false);
  });
});

it('is left out only where no guard would be made', () => {
  const operators = [...USUAL_GUARDS.keys()].concat(['Relu', 'Identity']);
  // The runtime refuses nodes whose operands have different types.
  const typed = [
    ['x', 'scale', 'matrix'],
    ['w', 'whole'],
  ];
  let leftOut = 0;
  const steps = fc.array(
    fc.record({
      type: fc.constantFrom(...operators),
      inputs: fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...typed), steps, (names, plan) => {
      const nodes = plan.map(({ type, inputs }, index) => {
        const known = [...names, ...Array.from({ length: index }, (_, made) => `v${made}`)];
        const [last = '', ...parts] = type.split('.').reverse();
        return buildNode(
          last,
          inputs.map((input) => known[input % known.length] ?? 'x'),
          [`v${index}`],
          { domain: parts.reverse().join('.') },
        );
      });
      const source = build(nodes);
      if (!isLeftOut(source)) return;
      leftOut++;
      expect(editsOf(source)).toBe(0);
    }),
    { numRuns: 3000 },
  );
  expect(leftOut).toBeGreaterThan(100);
});
