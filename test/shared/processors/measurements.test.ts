import { expect, it } from 'vitest';
import { createMeasurements } from '../../../shared/processors/measurements.ts';

it('counts with and without a number, and with and without labels', () => {
  const { count, counts } = createMeasurements();
  count('rows');
  count('rows', 3);
  count('unsure', { reason: 'blurred' });
  count('unsure', 2, { reason: 'blurred' });
  count('unsure', { reason: 'dark' });
  expect(Object.fromEntries(counts)).toEqual({
    rows: 4,
    'unsure{reason=blurred}': 3,
    'unsure{reason=dark}': 1,
  });
});

it('measures with and without labels', () => {
  const { observe, observations } = createMeasurements();
  observe('score', 0.5);
  observe('score', 2, { side: 'left' });
  observe('score', 1, { side: 'left' });
  expect(Object.fromEntries(observations)).toEqual({
    score: { count: 1, sum: 0.5, least: 0.5, largest: 0.5 },
    'score{side=left}': { count: 2, sum: 3, least: 1, largest: 2 },
  });
});

it('takes 32 names, and any number of values of a label', () => {
  const { count, counts } = createMeasurements();
  for (let i = 0; i < 500; i += 1) count('a', { row: String(i) });
  expect(counts.size).toBe(101);
  expect(counts.get('a{row=other}')).toBe(400);
  for (let i = 1; i < 32; i += 1) count(`n${i}`);
  expect(() => count('late')).toThrow('"late" is the name number 33 of one request; expected at most 32');
  count('a', { row: '7' });
  expect(counts.get('a{row=7}')).toBe(2);
});

it('refuses what is not a number', () => {
  const { count, observe } = createMeasurements();
  expect(() => count('a', Number.NaN)).toThrow('"a" is NaN; expected a number');
  expect(() => count('a', -1)).toThrow('"a" is counted by -1; expected a number of at least 0');
  expect(() => observe('a', Number.POSITIVE_INFINITY)).toThrow('"a" is Infinity; expected a number');
});
