import { describe, expect, it } from 'vitest';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { bytesSource, encodeField } from '../../../shared/onnx/protobuf.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatAttribute,
  integersAttribute,
  stringsAttribute,
  tensorValue,
  text,
} from '../../support/build-model.ts';

const ML = 'ai.onnx.ml';
const tree = (input: string, tracks: readonly bigint[], packed = false) =>
  buildNode('TreeEnsembleRegressor', [input], [`${input}_y`], {
    domain: ML,
    attributes: [integersAttribute('nodes_missing_value_tracks_true', tracks, packed)],
  });
const imputer = (replaced: number) =>
  buildNode('Imputer', ['x'], ['filled'], {
    domain: ML,
    attributes: [floatAttribute('replaced_value_float', replaced)],
  });
const linear = (input: string) => buildNode('LinearRegressor', [input], [`${input}_z`], { domain: ML });

const encode = (input: string, output: string, keys: readonly string[]) =>
  buildNode('LabelEncoder', [input], [output], {
    domain: ML,
    attributes: [stringsAttribute('keys_strings', keys)],
  });
/** Replaces empty texts, as the imputer of skl2onnx does. */
function fill(
  input: string,
  { keys = [''], tested = input, order = ['empty', 'filling', input] }: Partial<Filling> = {},
): Uint8Array[] {
  return [
    encode(tested, 'found', keys),
    buildNode('Cast', ['found'], ['empty']),
    buildNode('Where', order, ['filled']),
  ];
}

interface Filling {
  readonly keys: readonly string[];
  /** The value that is tested for being empty. */
  readonly tested: string;
  /** The inputs of the Where. */
  readonly order: readonly string[];
}

async function missingInputs(nodes: readonly Uint8Array[], producer = 'skl2onnx') {
  const model = buildModel({
    nodes,
    inputs: [tensorValue('x', FLOAT, ['n', 2]), tensorValue('w', FLOAT, ['n', 2])],
    outputs: [tensorValue('y', FLOAT, ['n', 1])],
    opsets: { [ML]: 3 },
  });
  const named = Buffer.concat([encodeField(2, text(producer)), model]);
  return [...(await readGraph(bytesSource(named))).missingInputs];
}

describe('the inputs whose values can be missing', () => {
  it.each([
    ['trees that lead some to the left', [tree('x', [0n, 1n, 0n])], ['x']],
    ['trees with packed numbers', [tree('x', [0n, 1n, 0n], true)], ['x']],
    ['trees that lead none', [tree('x', [0n, 0n])], []],
    ['trees with packed numbers that lead none', [tree('x', [0n, 0n], true)], []],
    ['an imputer of NaN before a line', [imputer(Number.NaN), linear('filled')], ['x']],
    ['an imputer of zeros', [imputer(0), linear('filled')], []],
    ['a line', [linear('x')], []],
    ['trees and a line', [tree('x', [1n]), linear('x')], []],
    ['trees after a cast', [buildNode('Cast', ['x'], ['cast']), tree('cast', [1n])], ['x']],
    ['a cast into nothing', [buildNode('Cast', ['x'], ['cast'])], []],
    ['a join of two', [buildNode('Concat', ['x', 'w'], ['joined']), tree('joined', [1n])], ['x', 'w']],
    ['a circle', [buildNode('Concat', ['x', 'b'], ['a']), buildNode('Identity', ['a'], ['b'])], []],
  ])('are found with %s', async (_, nodes, inputs) => {
    expect(await missingInputs(nodes)).toEqual(inputs);
  });

  it.each([
    ['a Where that replaces empty texts', [...fill('x')], ['x']],
    ['a Where after a join', [buildNode('Concat', ['x', 'w'], ['joined']), ...fill('joined')], ['x', 'w']],
    ['a Where that tests something else', [...fill('x', { keys: ['', 'a'] })], []],
    ['a Where that tests another text', [...fill('x', { tested: 'w' })], ['w']],
    ['a Where that takes others from it', [...fill('x', { order: ['empty', 'w', 'x'] })], ['x']],
    ['a Where that keeps empty texts', [...fill('x', { order: ['empty', 'x', 'filling'] })], []],
    ['a Where and an encoder', [...fill('x'), encode('x', 'code', ['a'])], []],
    ['an encoder with a code for empty texts', [encode('x', 'code', ['', 'a'])], []],
  ])('are found with %s', async (_, nodes, inputs) => {
    expect(await missingInputs(nodes)).toEqual(inputs);
  });

  it.each(['OnnxMLTools', 'CatBoost'])('are those of all trees of %s', async (producer) => {
    expect(await missingInputs([tree('x', [0n, 0n])], producer)).toEqual(['x']);
    expect(await missingInputs([linear('x')], producer)).toEqual([]);
  });
});
