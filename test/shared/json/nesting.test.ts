import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../shared/json/json-value.ts';
import { measureNesting } from '../../../shared/json/nesting.ts';

describe('measureNesting', () => {
  it.each<[JsonValue | undefined, readonly number[], JsonValue | undefined]>([
    [7, [], 7],
    [undefined, [], undefined],
    [[], [0], undefined],
    [[[], [1]], [2, 0], undefined],
    [[['a', 'b', 'c'], []], [2, 3], 'a'],
    [[{ b64: 'x' }], [1], { b64: 'x' }],
    [[1, [2]], [2], 1],
  ])('of %j is %j down to %j', (value, shape, leaf) => {
    expect(measureNesting(value)).toEqual({ shape, leaf });
  });
});
