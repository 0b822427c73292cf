import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openApp } from '../../support/hosts/in-process.ts';
import { describeRoutes } from './describe-routes.ts';

/** Values that are valid, nearly valid, and invalid. */
const cell = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: 0, max: 20, noNaN: true }) },
  fc.constantFrom<unknown>(-0.5, 21, '3', null, true, [1]),
);
const row = fc.oneof(
  { weight: 3, arbitrary: fc.array(cell, { minLength: 4, maxLength: 4 }) },
  fc.array(cell, { maxLength: 6 }),
  fc.record(
    { sepal_length: cell, sepal_width: cell, petal_length: cell, petal_width: cell, colour: fc.constant(1) },
    { requiredKeys: ['sepal_length', 'sepal_width', 'petal_length'] },
  ),
  fc.constantFrom<unknown>(null, 'x', 3),
);
const predictBody = fc.oneof(
  { weight: 2, arbitrary: fc.record({ features: row }) },
  fc.record({ instances: fc.array(fc.oneof(row, fc.record({ features: row })), { maxLength: 3 }) }),
  fc.record({ features: row, instances: fc.array(row, { maxLength: 1 }) }),
  fc.constantFrom<unknown>({}, [], null, { instances: {} }, { other: 1 }),
);

const tensor = fc.record(
  {
    name: fc.oneof({ weight: 9, arbitrary: fc.constant('features') }, fc.constantFrom<unknown>('x', 1, null)),
    datatype: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom<unknown>('FP32', 'FP64', 'FP16') },
      fc.constantFrom<unknown>('INT32', 'BYTES', 'FLOAT', 4),
    ),
    shape: fc.oneof(
      { weight: 6, arbitrary: fc.constant<unknown>([1, 4]) },
      fc.constantFrom<unknown>([4], [1, 3], [-1, 4], 4, ['1', 4]),
    ),
    data: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom<unknown>([1, 2, 3, 4], [[1, 2, 3, null]]) },
      fc.constantFrom<unknown>(null, 'x', {}),
    ),
    parameters: fc.constantFrom<unknown>({}, null, { p: 1 }, 3),
  },
  { requiredKeys: ['name', 'datatype', 'shape', 'data'] },
);
const inferBody = fc.record(
  {
    inputs: fc.oneof(
      { weight: 5, arbitrary: fc.array(tensor, { minLength: 1, maxLength: 1 }) },
      fc.array(tensor, { maxLength: 2 }),
      fc.constantFrom<unknown>({}, 1),
    ),
    id: fc.constantFrom<unknown>('a', null, 7),
    outputs: fc.constantFrom<unknown>([], null, [{ name: 'logits' }], [{ name: 'y' }], [{}], 1),
    parameters: fc.constantFrom<unknown>(
      {},
      null,
      { binary_data_output: false },
      { binary_data_output: 1 },
      [],
    ),
  },
  { requiredKeys: ['inputs'] },
);

describe('the schema of iris', () => {
  it.each([
    ['/models/iris/predict', predictBody],
    ['/v2/models/iris/infer', inferBody],
  ])('takes what %s answers with 200, and nothing else', async (path, bodies) => {
    const { isTaken, isAnswered } = await describeRoutes(openApp());
    const seen = { true: 0, false: 0 };
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const isGood = await isAnswered(path, body);
        seen[`${isGood}`] += 1;
        expect(isTaken(path, body)).toBe(isGood);
      }),
      { numRuns: 400, seed: 7 },
    );
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(20);
  });
});
