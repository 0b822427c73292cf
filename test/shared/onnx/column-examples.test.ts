import { describe, expect, it } from 'vitest';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { bytesSource } from '../../../shared/onnx/protobuf.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  int64Initializer,
  integerAttribute,
  STRING,
  stringsAttribute,
  tensorValue,
} from '../../support/build-model.ts';

const ML = 'ai.onnx.ml';
const ml = (type: string, inputs: string[], output: string, attributes: Uint8Array[] = []) =>
  buildNode(type, inputs, [output], { domain: ML, attributes });
const encode = (input: string, output: string, keys: readonly string[]) =>
  ml('LabelEncoder', [input], output, [stringsAttribute('keys_strings', keys)]);
const oneHot = (input: string, output: string, categories: readonly string[]) =>
  ml('OneHotEncoder', [input], output, [stringsAttribute('cats_strings', categories)]);

/** What the graph shows about the columns of its input `x`. */
async function columnsOf(nodes: readonly Uint8Array[], width = 1) {
  const model = buildModel({
    nodes,
    inputs: [tensorValue('x', STRING, ['n', width])],
    outputs: [tensorValue('y', FLOAT, ['n', 1])],
    initializers: [int64Initializer('second', [1])],
    opsets: { '': 13, [ML]: 2 },
  });
  return (await readGraph(bytesSource(model))).columnExamples.get('x');
}

const many = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);

describe('the categories of a column', () => {
  it.each([
    ['a LabelEncoder', [encode('x', 'y', ['', 'a', 'b'])], { value: 'a', categories: ['', 'a', 'b'] }],
    ['a OneHotEncoder', [oneHot('x', 'y', ['b', 'a'])], { value: 'b', categories: ['b', 'a'] }],
    [
      'an encoder after operators that change nothing',
      [
        buildNode('Identity', ['x'], ['a']),
        buildNode('Reshape', ['a', 'second'], ['b']),
        oneHot('b', 'y', ['a']),
      ],
      { value: 'a', categories: ['a'] },
    ],
    [
      'two encoders, which know different ones',
      [encode('x', 'y', ['a', 'b']), oneHot('x', 'z', ['b', 'c'])],
      { value: 'a', categories: ['a', 'b', 'b', 'c'] },
    ],
    [
      'an encoder after empty texts were replaced',
      [
        encode('x', 'found', ['']),
        buildNode('Cast', ['found'], ['empty']),
        buildNode('Where', ['empty', 'filling', 'x'], ['filled']),
        oneHot('filled', 'y', ['a', 'b']),
      ],
      { value: 'a', categories: ['a', 'b'] },
    ],
    [
      'none after texts were changed, but an example',
      [ml('StringNormalizer', ['x'], 'small'), oneHot('small', 'y', ['a'])],
      { value: 'a', categories: undefined },
    ],
    [
      'none after other texts were replaced',
      [buildNode('Where', ['rare', 'others', 'x'], ['filled']), oneHot('filled', 'y', ['a'])],
      undefined,
    ],
    ['none of an encoder that looks for empty texts', [encode('x', 'y', [''])], undefined],
  ])('are those of %s', async (_, nodes, expected) => {
    expect((await columnsOf(nodes))?.[0]).toEqual(expected);
  });

  it('are found for the column that is picked', async () => {
    const picked = ml('ArrayFeatureExtractor', ['x', 'second'], 'p');
    const columns = await columnsOf([picked, oneHot('p', 'y', ['a'])], 2);
    expect([columns?.[0], columns?.[1]]).toEqual([undefined, { value: 'a', categories: ['a'] }]);
  });

  it('are not kept if there are more than 20,000 together', async () => {
    const whole = await columnsOf([encode('x', 'y', many(20_000))]);
    expect(whole?.[0]?.categories).toHaveLength(20_000);
    const larger = await columnsOf([encode('x', 'y', many(20_001))]);
    expect(larger?.[0]).toEqual({ value: 'c0', categories: undefined });
    const twice = await columnsOf([encode('x', 'y', many(15_000)), oneHot('x', 'z', many(5_001))]);
    expect(twice?.[0]?.categories).toHaveLength(15_000);
  });

  it('are not looked for in an encoder of numbers', async () => {
    const zeros = ml('OneHotEncoder', ['x'], 'y', [integerAttribute('zeros', 1)]);
    expect((await columnsOf([zeros]))?.[0]).toBeUndefined();
  });
});
