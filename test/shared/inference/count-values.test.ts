import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { invalid } from '../../../shared/errors.ts';
import { countFeeds, countRefused } from '../../../shared/inference/count-values.ts';
import { createFeaturePreprocessor } from '../../../shared/inference/preprocess-features.ts';
import type { Session, TensorSpec } from '../../../shared/runtime/session.ts';
import type { Datatype } from '../../../shared/tensor/datatype.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import type { ValueQuality } from '../../../shared/usage.ts';
import type { Feature } from '../../../shared/values/row.ts';
import { rowsInput, serve } from '../../support/make-inference.ts';
import { MODELS } from '../../support/project.ts';

/** The preprocessing of a graph with these inputs. */
function open(inputs: readonly TensorSpec[], features?: readonly Feature[]) {
  const unused = () => {
    throw new Error('not run');
  };
  const session: Session = { inputs, outputs: [], run: unused, release: unused };
  return createFeaturePreprocessor(session, features, { columnExamples: new Map() });
}

function countsOf(
  preprocessor: ReturnType<typeof open>,
  feeds: Readonly<Record<string, Tensor>>,
): ValueQuality {
  if (!preprocessor.counted) throw new Error('nothing is counted');
  return countFeeds(preprocessor.counted, new Map(Object.entries(feeds)));
}

const matrix = (datatype: Datatype, width: number): TensorSpec => ({
  name: 'x',
  datatype,
  shape: [-1, width],
});

describe('the values of tensors', () => {
  // 0.1 and 0.3 are rounded up and down in these types.
  it.each(['FP16', 'FP32', 'FP64'] as const)(
    'of %s are compared with the range as they have it',
    (datatype) => {
      const model = open([matrix(datatype, 2)], [{ name: 'a', range: [0.1, 0.3] }, { name: 'b' }]);
      const data = [0.1, 0, 0.3, Number.NaN, 0.31, Infinity, 0.09, 1, Number.NaN, -1];
      const counts = countsOf(model, { x: createTensor(datatype, [5, 2], data) });
      expect(counts).toEqual({
        rows: 5,
        features: new Map([
          ['a', { out_of_range: 2, missing: 1 }],
          ['b', { missing: 1 }],
        ]),
        summary: {
          rows: 5,
          missing: 2,
          out_of_range: 2,
          features: { a: { out_of_range: 2, missing: 1 }, b: { missing: 1 } },
        },
      });
    },
  );

  it.each(['INT8', 'UINT8', 'INT32', 'INT64', 'UINT64'] as const)(
    'of %s are compared with it as they are',
    (datatype) => {
      const model = open(
        [matrix(datatype, 2)],
        [
          { name: 'a', range: [0.5, 2.5] },
          { name: 'b', values: [1, 3] },
        ],
      );
      const counts = countsOf(model, { x: createTensor(datatype, [4, 2], [0, 1, 1, 2, 2, 3, 3, 4]) });
      expect(counts).toMatchObject({
        rows: 4,
        features: new Map([
          ['a', { out_of_range: 2 }],
          ['b', { unseen: 2 }],
        ]),
      });
    },
  );

  it('of numbers are compared with a list as their datatype has it', () => {
    const model = open([matrix('FP32', 1)], [{ name: 'a', values: [0.1, 0.2] }]);
    expect(countsOf(model, { x: createTensor('FP32', [3, 1], [0.1, 0.2, 0.25]) })).toMatchObject({
      features: new Map([['a', { unseen: 1 }]]),
    });
  });

  it('of texts are missing if a text must have a length, or if the graph fills it in', () => {
    const text = (name: string, allowsMissing = false): TensorSpec => ({
      name,
      datatype: 'BYTES',
      shape: [-1, 1],
      allowsMissing,
    });
    const features = [{ name: 'a', minLength: 1 }, { name: 'b' }, { name: 'c' }];
    const model = open([text('a'), text('b', true), text('c')], features);
    const empty: Tensor = { datatype: 'BYTES', shape: [2, 1], data: ['', 'x'] };
    expect(countsOf(model, { a: empty, b: empty, c: empty })).toMatchObject({
      rows: 2,
      features: new Map([
        ['a', { missing: 1 }],
        ['b', { missing: 1 }],
      ]),
    });
  });

  it('are only rows if all are as expected', () => {
    const model = open([matrix('FP32', 1)], [{ name: 'a', range: [0, 1] }]);
    expect(countsOf(model, { x: createTensor('FP32', [3, 1], [0, 0.5, 1]) })).toEqual({ rows: 3 });
  });

  it('are added to those that the same request had before', () => {
    const { counted } = open([matrix('FP32', 1)], [{ name: 'a', range: [0, 1] }]);
    if (!counted) throw new Error('nothing is counted');
    const feeds = new Map([['x', createTensor('FP32', [2, 1], [0, 2])]]);
    expect(countFeeds(counted, feeds, countFeeds(counted, feeds))).toMatchObject({
      rows: 4,
      features: new Map([['a', { out_of_range: 2 }]]),
    });
  });

  it('are not counted if the columns have no names', () => {
    expect(open([matrix('FP32', 3)]).counted).toBeUndefined();
    expect(open([matrix('FP32', -1)]).counted).toBeUndefined();
  });
});

describe('the values of a refused request', () => {
  const { counted } = open(
    [matrix('FP32', 3)],
    [{ name: 'a', range: [0, 1] }, { name: 'b', values: [1, 2] }, { name: 'c' }],
  );
  const refuse = (rows: Parameters<typeof rowsInput>[0], error: unknown = invalid('x', 'is wrong.')) =>
    counted && countRefused(counted, rowsInput(rows), error);

  it.each([
    ['null', [null, null, null], { a: { missing: 1 }, b: { missing: 1 }, c: { missing: 1 } }],
    ['missing words', ['', 'n/a', 'NaN'], { a: { missing: 1 }, b: { missing: 1 }, c: { missing: 1 } }],
    ['members that a row lacks', { c: 1 }, { a: { missing: 1 }, b: { missing: 1 } }],
    ['members that there are not', { a: 2, d: 1, b: 1, c: 1 }, { a: { out_of_range: 1 } }],
    ['truth values', [true, false, true], { b: { unseen: 1 } }],
    ['large whole numbers', [2n ** 63n, 1, 1], { a: { out_of_range: 1 } }],
    ['infinite numbers', [-Infinity, 1, Infinity], { a: { out_of_range: 1 } }],
  ])('are found among %s', (_, row, features) => {
    expect(refuse([row])?.summary?.features).toEqual(features);
  });

  it('do not differ if texts or lists came in place of numbers', () => {
    expect(refuse([['x', [1], { a: 1 }]])).toEqual({ rows: 1 });
  });

  it.each([[[1, 2]], [{}], [{ d: 1 }], [7], [null]])('are not known in the row %j', (row) => {
    expect(refuse([row])).toBeUndefined();
  });

  it('are not counted if the request was refused for another reason', () => {
    expect(refuse([[2, 2, 2]], new Error('other'))).toBeUndefined();
  });
});

it('counts nothing if nobody reads it', async () => {
  const [graph, config] = await Promise.all(
    ['model.onnx', 'model.json'].map((name) => readFile(join(MODELS, 'iris/1', name))),
  );
  if (!graph || !config) throw new Error('no model');
  const inference = await serve({ 'model.onnx': graph, 'model.json': config });
  const { usage } = await inference.use({ model: 'm' }, {}, (use) => use.predict(rowsInput([[1, 2, 3, 4]])));
  expect([usage.instances, usage.quality]).toEqual([1, undefined]);
});
