import { describe, expect, it } from 'vitest';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  INT64,
  integerAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { untypedValue } from '../../sweep/open-model.ts';
import { requestInChild } from './request-in-child.ts';

const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1);
const weights = (name: string, ...shape: number[]) =>
  floatInitializer(
    name,
    shape,
    Array.from({ length: product(shape) }, (_, at) => Math.sin(at + 1)),
  );
const one = (type: string, inputs: readonly string[], output: string, ...attributes: Uint8Array[]) =>
  buildNode(type, inputs, [output], { attributes });
const filled = (shape: readonly number[]) =>
  createTensor(
    'FP32',
    shape,
    Array.from({ length: product(shape) }, (_, at) => Math.cos(at)),
  );

const normalize = [
  one('Add', ['a', 'b'], 'z'),
  one('LayerNormalization', ['z', 'g', 'h'], 'y', integerAttribute('axis', -1)),
];
const NORM = [weights('g', 4), weights('h', 4), weights('words', 5, 4), weights('kinds', 2, 4)];

/** Sums of two inputs. The runtime fuses them into one operator, because their axes have the same names. */
const SUMS = [
  {
    name: 'of rows',
    model: buildModel({
      nodes: [one('Identity', ['ids'], 'a'), one('Identity', ['types'], 'b'), ...normalize],
      inputs: ['ids', 'types'].map((name) => tensorValue(name, FLOAT, ['batch', 'tokens', 4])),
      outputs: [untypedValue('y')],
      initializers: NORM,
    }),
    feed: (rows: number) => filled([rows, 3, 4]),
    tail: ',4',
  },
  {
    name: 'of embeddings',
    model: buildModel({
      nodes: [one('Gather', ['words', 'ids'], 'a'), one('Gather', ['kinds', 'types'], 'b'), ...normalize],
      inputs: ['ids', 'types'].map((name) => tensorValue(name, INT64, ['batch', 'tokens'])),
      outputs: [untypedValue('y')],
      initializers: NORM,
    }),
    feed: (rows: number) =>
      createTensor(
        'INT64',
        [rows, 3],
        Array.from({ length: rows * 3 }, (_, at) => at % 2),
      ),
    tail: '',
  },
];

describe('inputs whose axes of one name differ', async () => {
  const request = ({ model, feed }: (typeof SUMS)[number], ids: number, types: number) => ({
    model,
    feeds: new Map([
      ['ids', feed(ids)],
      ['types', feed(types)],
    ]),
    isCompared: ids === types,
  });
  const outcomes = await requestInChild([
    ...SUMS.map((sum) => request(sum, 2, 0)),
    ...SUMS.map((sum) => request(sum, 2, 2)),
    ...SUMS.map((sum) => request(sum, 0, 0)),
  ]);

  it.each(SUMS.map(({ name, tail }, at) => [name, tail, at] as const))(
    'are refused where one is 0, and equal ones get the same bits as without: a sum %s',
    (_, tail, at) => {
      expect(outcomes[at]).toEqual({
        kind: 'refused',
        name: 'InferenceError',
        message: `Input "types" has the shape [0,3${tail}]; its axis 0 ("batch") has the size 2 in the input "ids".`,
        code: 'INVALID_PARAMETER_VALUE',
      });
      for (const equal of [outcomes[SUMS.length + at], outcomes[2 * SUMS.length + at]]) {
        expect(equal).toMatchObject({ kind: 'answered' });
        if (equal?.kind === 'answered') expect(equal.tensors).toEqual(equal.bare);
      }
    },
  );
});

describe('inputs that would be broadcast to each other', () => {
  /** Two inputs with the same names, a third one with an axis of its own, and the sum of all. */
  const model = buildModel({
    nodes: [one('Add', ['a', 'b'], 'c'), one('Add', ['c', 'lengths'], 'sum'), one('ReduceMax', ['sum'], 'y')],
    inputs: [
      tensorValue('a', FLOAT, ['batch', 'tokens']),
      tensorValue('b', FLOAT, ['batch', 'tokens']),
      tensorValue('lengths', FLOAT, ['batch', 1]),
    ],
    outputs: [untypedValue('y')],
  });
  const ask = async (a: readonly number[], b: readonly number[], lengths: readonly number[]) => {
    const feeds = new Map(Object.entries({ a: filled(a), b: filled(b), lengths: filled(lengths) }));
    const [outcome] = await requestInChild([{ model, feeds }]);
    return outcome?.kind === 'refused' ? outcome.message : outcome?.kind;
  };

  it.each([
    [
      [8, 500],
      [1, 500],
      [8, 1],
    ],
    [
      [1, 500],
      [8, 500],
      [1, 1],
    ],
    [
      [1000, 1],
      [1, 1000],
      [1, 1],
    ],
    [
      [3000, 500],
      [3000, 500],
      [3000, 1],
    ],
    [
      [1, 2 ** 21],
      [1, 1],
      [1, 1],
    ],
  ])('are run where that makes little: %j, %j and %j', async (...shapes) => {
    expect(await ask(...shapes)).toBe('answered');
  });

  it.each([
    [
      [1, 5000],
      [10_000, 1],
      [1, 1],
      'Input "a" has the shape [1,5000]; its axis 0 ("batch") has the size 10000 in the input "b".',
    ],
    [
      [1, 5000],
      [1, 5000],
      [10_000, 1],
      'Input "a" has the shape [1,5000]; its axis 0 ("batch") has the size 10000 in the input "lengths".',
    ],
  ])('are refused where few elements would become many: %j, %j and %j', async (a, b, lengths, message) => {
    expect(await ask(a, b, lengths)).toBe(message);
  });
});
