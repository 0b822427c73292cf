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

/** Sums of two inputs of which the runtime makes one operator, as their axes have the same names. */
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
        message: `Input "types" has the shape [0,3${tail}]; its axis 0 ("batch") is 2 in the input "ids".`,
        code: 'INVALID_PARAMETER_VALUE',
      });
      for (const equal of [outcomes[SUMS.length + at], outcomes[2 * SUMS.length + at]]) {
        expect(equal).toMatchObject({ kind: 'answered' });
        if (equal?.kind === 'answered') expect(equal.tensors).toEqual(equal.bare);
      }
    },
  );
});
