import { describe, expect, it } from 'vitest';
import { parseQualityList } from '../../../shared/http/quality-list.ts';

describe('parseQualityList', () => {
  it.each<[string | null | undefined, readonly (readonly [string, number])[]]>([
    [undefined, []],
    [null, []],
    ['', []],
    [', ,', []],
    ['gzip', [['gzip', 1]]],
    [
      'Text/HTML; Level=1 ; Q=0.25,*/*;q=0',
      [
        ['text/html', 0.25],
        ['*/*', 0],
      ],
    ],
    ['a;q=high', [['a', 1]]],
    ['a;q=', [['a', 1]]],
    ['a;q=7', [['a', 1]]],
    ['a;q=-1', [['a', 0]]],
    [';q=0.5', []],
  ])('reads %j', (header, preferences) => {
    expect(parseQualityList(header).map(({ value, weight }) => [value, weight])).toEqual(preferences);
  });
});
