import { describe, expect, it } from 'vitest';
import { boundKey, keyOf, partsOf } from '../../shared/measurement-keys.ts';

describe('the key of a name with labels', () => {
  it('is the name alone without labels', () => {
    expect(keyOf('unsure')).toBe('unsure');
    expect(keyOf('unsure', {})).toBe('unsure');
    expect(partsOf('unsure')).toEqual({ name: 'unsure', labels: {} });
  });

  it('is the same in any order, and can be taken apart', () => {
    const labels = { where: 'left eye', reason: 'größer/kleiner: 1.5 + 2_a-b' };
    const key = keyOf('unsure', labels);
    expect(key).toBe('unsure{reason=größer/kleiner: 1.5 + 2_a-b,where=left eye}');
    expect(keyOf('unsure', { reason: labels.reason, where: labels.where })).toBe(key);
    expect(partsOf(key)).toEqual({ name: 'unsure', labels });
  });

  const WORD = 'up to 64 letters, digits and _, and does not begin with a digit';
  it.each<[string, Record<string, string>, string]>([
    ['1st', {}, `"1st" cannot be counted: a name has ${WORD}`],
    ['a{b', {}, `"a{b" cannot be counted: a name has ${WORD}`],
    ['a', { 'b c': 'd' }, `"a" has the label "b c"; the name of a label has ${WORD} or __`],
    ['a', { __b: 'c' }, `"a" has the label "__b"; the name of a label has ${WORD} or __`],
    ['a', { model: 'c' }, '"a" has the label "model", which its metric has already; expected another name'],
    [
      'a',
      { b: 'x,y' },
      'The label "b" of "a" is a text of 3 characters; expected 1 to 64 letters, digits, spaces and . _ : / + -',
    ],
    [
      'a',
      { b: '' },
      'The label "b" of "a" is a text of 0 characters; expected 1 to 64 letters, digits, spaces and . _ : / + -',
    ],
    [
      'a',
      { b: 'x'.repeat(90) },
      `The label "b" of "a" is a text of 90 characters; expected 1 to 64 letters, digits, spaces and . _ : / + -`,
    ],
    ['a', { b: '1', c: '1', d: '1', e: '1', f: '1' }, '"a" has 5 labels; expected at most 4'],
  ])('of %s with %j is refused', (name, labels, message) => {
    expect(() => keyOf(name, labels)).toThrow(new Error(message));
  });
});

it('counts what is beyond 100 combinations of a name as other', () => {
  const known = new Map<string, number>([['b{x=1}', 1]]);
  for (let i = 0; i < 100; i += 1) known.set(boundKey(keyOf('a', { x: `v${i}`, y: 'z' }), known), 1);
  expect(known.size).toBe(101);
  expect(boundKey('a{x=v7,y=z}', known)).toBe('a{x=v7,y=z}');
  expect(boundKey('a{x=new,y=z}', known)).toBe('a{x=other,y=other}');
  expect(boundKey('a{quite=new}', known)).toBe('a{x=other,y=other}');
  expect(boundKey('a', known)).toBe('a');
  expect(boundKey('b{x=2}', known)).toBe('b{x=2}');
});
