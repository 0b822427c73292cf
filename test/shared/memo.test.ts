import { describe, expect, it } from 'vitest';
import { loadOnce, memoize, memoizeBy } from '../../shared/memo.ts';

/** A memo whose results show whether they were made again. */
function makeMemo() {
  let made = 0;
  return memoize((text) => `${text.slice(0, 10)} ${++made}`);
}

describe('a memo', () => {
  it('makes the result of a text once', () => {
    const memo = makeMemo();
    expect([memo('a'), memo('b'), memo('a')]).toEqual(['a 1', 'b 2', 'a 1']);
  });

  it('keeps nothing of long texts', () => {
    const memo = makeMemo();
    const [longest, longer] = ['x'.repeat(200), 'y'.repeat(201)];
    expect([memo(longest), memo(longer)]).toEqual(['xxxxxxxxxx 1', 'yyyyyyyyyy 2']);
    expect([memo(longest), memo(longer)]).toEqual(['xxxxxxxxxx 1', 'yyyyyyyyyy 3']);
  });

  it('forgets all at once when it has 512 results', () => {
    const memo = makeMemo();
    for (let text = 0; text < 512; text++) memo(String(text));
    expect(memo('0')).toBe('0 1');
    expect(memo('new')).toBe('new 513');
    expect([memo('0'), memo('new')]).toEqual(['0 514', 'new 513']);
  });

  it('keeps no error', () => {
    let calls = 0;
    const memo = memoize((text) => {
      if (++calls === 1) throw new Error('once');
      return text;
    });
    expect(() => memo('a')).toThrow('once');
    expect(memo('a')).toBe('a');
  });

  it('may depend on a part of something', () => {
    const memo = memoizeBy(
      ({ name }: { name: string }) => name,
      ({ name }) => ({ name }),
    );
    expect(memo({ name: 'a' })).toBe(memo({ name: 'a' }));
  });
});

describe('a load', () => {
  it('happens with the first call, and only once', async () => {
    let loads = 0;
    const load = loadOnce(async () => ++loads);
    expect(loads).toBe(0);
    expect(await Promise.all([load(), load()])).toEqual([1, 1]);
    expect(await load()).toBe(1);
  });

  it('is tried again after a failure', async () => {
    let loads = 0;
    const load = loadOnce(async () => {
      if (++loads === 1) throw new Error('not now');
      return loads;
    });
    await expect(load()).rejects.toThrow('not now');
    expect(await load()).toBe(2);
  });
});
