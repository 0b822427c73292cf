import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { guardOperators } from '../../../shared/onnx/guard-operators.ts';
import { bytesSource } from '../../../shared/onnx/protobuf.ts';
import { rewriteModel } from '../../../shared/onnx/rewrite-model.ts';
import {
  BOOL,
  buildFunction,
  buildModel,
  buildNode,
  FLOAT,
  graphAttribute,
  INT64,
  initializer,
  int64Initializer,
  integerAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

interface Graph {
  readonly nodes: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

const graphOf = (name: string, ...nodes: readonly Uint8Array[]): Graph => ({
  nodes,
  outputs: [tensorValue(name, FLOAT)],
});
const negated = (name: string, input = 'x') => graphOf(name, buildNode('Neg', [input], [name]));

/** An If that takes one of two graphs. */
function choice(name: string, condition: string, taken: Graph, isElse = false): Graph {
  const other = negated(`${name} other`);
  const [first, second] = isElse ? [other, taken] : [taken, other];
  const attributes = [graphAttribute('then_branch', first), graphAttribute('else_branch', second)];
  return graphOf(name, buildNode('If', [condition], [name], { attributes }));
}

/** Depends on the request, and is the absolute value of x for all requests with elements. */
const open = (name: string) => {
  const last = choice(name, 'some', graphOf('absolute', buildNode('Abs', ['x'], ['absolute'])));
  const toBoolean = buildNode('Cast', ['size'], ['some'], { attributes: [integerAttribute('to', BOOL)] });
  return { ...last, nodes: [buildNode('Size', ['x'], ['size']), toBoolean, ...last.nodes] };
};
const best = graphOf('values', buildNode('TopK', ['x', 'k'], ['values', 'places']));

const twice = (inner: Graph) => choice('y', 'yes', choice('middle', 'yes', inner));

function modelOf(
  nodes: readonly Uint8Array[],
  functions: readonly Uint8Array[] = [],
  opset = 18,
): Uint8Array {
  return buildModel({
    nodes,
    inputs: [tensorValue('x', FLOAT, ['n', 2])],
    outputs: [tensorValue('y', FLOAT, ['n', 2])],
    initializers: [
      initializer('yes', BOOL, [], Uint8Array.of(1)),
      initializer('no', BOOL, [], Uint8Array.of(0)),
      int64Initializer('k', [2]),
      initializer('once', INT64, [], new Uint8Array(BigInt64Array.of(1n).buffer)),
    ],
    opsets: { '': opset, local: 1 },
    functions,
  });
}

const inLoop = (graph: Graph) =>
  buildNode('Loop', ['once', 'yes', 'x'], ['y'], {
    attributes: [
      graphAttribute('body', {
        inputs: [tensorValue('turn', INT64, []), tensorValue('on', BOOL, []), tensorValue('data', FLOAT)],
        nodes: [buildNode('Identity', ['on'], ['again']), ...graph.nodes],
        outputs: [tensorValue('again', BOOL, []), ...graph.outputs],
      }),
    ],
  });

const called = (name: string) => graphOf(name, buildNode('Local', ['x'], [name], { domain: 'local' }));
const functionOf = (graph: Graph) =>
  buildFunction({ name: 'Local', inputs: ['x'], outputs: ['result'], nodes: graph.nodes });

const MODELS = {
  'in the branches of two with constant conditions': modelOf(twice(open('inner')).nodes),
  'in their other branches': modelOf(
    choice('y', 'no', choice('middle', 'no', open('inner'), true), true).nodes,
  ),
  'in the branches of three': modelOf(
    choice('y', 'yes', choice('outer', 'yes', choice('middle', 'yes', open('inner')))).nodes,
  ),
  'in the body of a loop': modelOf([inLoop(choice('z', 'yes', choice('middle', 'yes', open('inner'))))]),
  'in a function that two branches call': modelOf(twice(called('inner')).nodes, [functionOf(open('result'))]),
  'as the guard of a TopK': modelOf(twice(best).nodes),
  ...Object.fromEntries(
    [7, 10, 11, 21, 22, 26].map((opset) => [
      `in operator set ${opset}`,
      modelOf(twice(open('inner')).nodes, [], opset),
    ]),
  ),
  ...Object.fromEntries(
    [10, 21, 22, 26].map((opset) => [
      `as the guard of a TopK, in operator set ${opset}`,
      modelOf(twice(best).nodes, [], opset),
    ]),
  ),
};

describe('an If', () => {
  it.each(Object.entries(MODELS))('is run %s', async (_, model) => {
    expect(await runApart(rewriteModel(bytesSource(model), [guardOperators(2 ** 26)]))).toBe('[4,3]');
  });
});

/** The answer of a process in which freed memory is overwritten at once, where the C library can do that. */
async function runApart(model: Uint8Array): Promise<string> {
  const file = join(await makeFolder({ 'model.onnx': model }), 'model.onnx');
  const script = `
    import ort from ${JSON.stringify(import.meta.resolve('onnxruntime-node'))};
    const session = await ort.InferenceSession.create(${JSON.stringify(file)}, { logSeverityLevel: 3 });
    const { y } = await session.run({ x: new ort.Tensor('float32', [4, 3], [1, 2]) });
    console.log(JSON.stringify([...y.data]));`;
  const env = { ...process.env, MALLOC_PERTURB_: '165', ORT_DISABLE_TELEMETRY: '1' };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env,
  });
  return stdout.trim();
}
