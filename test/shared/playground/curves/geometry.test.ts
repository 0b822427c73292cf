import { describe, expect, it } from 'vitest';
import {
  draw,
  linesOf,
  type Moment,
  roundUp,
  spanOf,
} from '../../../../shared/playground/curves/geometry.ts';
import { formatValue } from '../../../../shared/playground/curves/units.ts';

const moment = (atMs: number, values: Readonly<Record<string, number>>): Moment => ({
  atMs,
  values: new Map(Object.entries(values)),
});
const SPAN = { startMs: 0, endMs: 20_000 };

describe('the span of a chart', () => {
  it.each([
    [0, 1],
    [60, 1],
    [61, 2],
    [121, 3],
    [301, 7],
    [421, 10],
    [600, 10],
  ])('after %d seconds has %d minutes, and ends with the latest moment', (seconds, minutes) => {
    const moments = [moment(5000, {}), moment(5000 + seconds * 1000, {})];
    const { startMs, endMs } = spanOf(moments);
    expect([(endMs - startMs) / 60_000, endMs]).toEqual([minutes, 5000 + seconds * 1000]);
  });
});

describe('the top of a chart', () => {
  it.each([
    [0, 1],
    [0.3, 0.3],
    [1, 1],
    [1.01, 1.2],
    [5, 6],
    [8.5, 10],
    [123e6, 160e6],
    [Number.NaN, 1],
  ])('for %d is %d', (value, top) => {
    expect(roundUp(value)).toBeCloseTo(top, 9);
  });
});

describe('lines', () => {
  it('go through their values, from the bottom at 100 to the top at 0', () => {
    const moments = [moment(0, { a: 0, b: 4 }), moment(2000, { a: 2 }), moment(4000, { a: 4, b: 1 })];
    expect(draw(moments, false, SPAN)).toEqual({
      top: 4,
      shapes: [
        { line: 'a', path: 'M0 100L10 50L20 0' },
        // A value alone is a dot.
        { line: 'b', path: 'M0 0h0M20 75h0' },
      ],
    });
  });

  it('have a gap where readings are missing', () => {
    const moments = [0, 2000, 8001, 10_000].map((atMs) => moment(atMs, { a: 1 }));
    expect(draw(moments, false, SPAN).shapes[0]?.path).toBe('M0 0L10 0M40.01 0L50 0');
  });

  it('are in the order in which they appear, also without values', () => {
    expect(linesOf([moment(0, { a: 1 }), moment(1, { b: 1, a: 1 })])).toEqual(['a', 'b']);
    expect(draw([], false, SPAN)).toEqual({ top: 1, shapes: [] });
  });
});

describe('a stack', () => {
  it('has each area on top of the one before, and its sum in the scale', () => {
    const moments = [moment(0, { a: 1, b: 3 }), moment(2000, { a: 2 })];
    expect(draw(moments, true, SPAN)).toEqual({
      top: 4,
      shapes: [
        { line: 'a', path: 'M0 75L10 50L10 100L0 100Z' },
        { line: 'b', path: 'M0 0L10 50L10 50L0 75Z' },
      ],
    });
  });
});

describe('a value', () => {
  it.each([
    ['number', 0, '0'],
    ['number', 12, '12'],
    ['number', 0.456, '0.46'],
    ['number', 45.67, '45.7'],
    ['number', 456.7, '457'],
    ['seconds', 0.000_123, '0.12 ms'],
    ['seconds', 0.25, '250 ms'],
    ['seconds', 1.5, '1.50 s'],
    ['bytes', 156_000_000, '156.0 MB'],
    ['bytes', 2.5e9, '2.5 GB'],
  ] as const)('of the kind %s, %d, reads %s', (unit, value, text) => {
    expect(formatValue(unit, value)).toBe(text);
  });
});
