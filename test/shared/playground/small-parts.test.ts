import { describe, expect, it } from 'vitest';
import { outlineOf } from '../../../shared/playground/forms/json-form.ts';
import { parseDescription, parseListings } from '../../../shared/playground/model-description.ts';
import { formatBytes, formatMs, formatNumber, formatPercent } from '../../../shared/playground/numbers.ts';
import { readLink, writeLink } from '../../../shared/playground/share-link.ts';
import { parseTimings } from '../../../shared/playground/timings.ts';

describe('the sketch of a request without an example', () => {
  const inputs = [{ name: 'instances', datatype: 'BYTES', shape: [-1] }];

  it('has the member that the model reads', () => {
    expect(outlineOf({ input: 'features', inputs })).toEqual({ features: '…' });
    expect(outlineOf({ input: 'tensors', inputs })).toEqual({ inputs: { instances: '…' } });
  });
});

describe('a share', () => {
  it.each([
    [0, '0.0 %'],
    [3.7e-8, '< 0.1 %'],
    [0.000_5, '0.1 %'],
    [0.1234, '12.3 %'],
    [0.9994, '99.9 %'],
    [0.99989, '> 99.9 %'],
    [1, '100.0 %'],
  ])('of %d reads %s', (share, text) => {
    expect(formatPercent(share)).toBe(text);
  });
});

describe('a number', () => {
  it.each([
    [0.30000001192092896, '0.3'],
    [21.5, '21.5'],
    [1234567.875, '1234568'],
    [123456789, '123456789'],
    [-1.5e-9, '-1.5e-9'],
  ])('%d reads %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('of milliseconds and bytes has the digits that matter', () => {
    expect([0.087, 12.34, 1234.5].map(formatMs)).toEqual(['0.09 ms', '12.3 ms', '1235 ms']);
    expect([12, 12_640, 3_400_000].map(formatBytes)).toEqual(['12 bytes', '12.6 kB', '3.4 MB']);
  });
});

describe('a link', () => {
  it('keeps any model and version', () => {
    for (const shown of [
      { model: 'iris', version: '2' },
      { model: 'a&b=c #d', version: '1.0+x' },
    ]) {
      expect(readLink(writeLink(shown))).toEqual(shown);
    }
    expect(writeLink({ model: 'iris', version: '2' })).toBe('#model=iris&version=2');
    expect(writeLink({ model: 'iris', version: undefined })).toBe('#model=iris');
  });

  it('may leave everything open', () => {
    expect(readLink('')).toEqual({ model: undefined, version: undefined });
    expect(readLink('#model=&other=1')).toEqual({ model: undefined, version: undefined });
  });
});

describe('a Server-Timing header', () => {
  it('gives the times it has', () => {
    expect(parseTimings('load;dur=0, run;dur=0.125, total;dur=1.5', 9)).toEqual({
      loadMs: 0,
      runMs: 0.125,
      totalMs: 1.5,
      roundTripMs: 9,
    });
    expect(parseTimings('total;dur=1.5', 9)).toMatchObject({ loadMs: undefined, runMs: undefined });
    expect(parseTimings('', 9)).toMatchObject({ totalMs: undefined, roundTripMs: 9 });
  });
});

describe('what the server says of its models', () => {
  it('is read, without what makes no sense', () => {
    const models = [{ name: 'iris', versions: ['1', '2'], live_version: '2' }, { name: 7 }, null];
    expect(parseListings({ models })).toEqual([{ name: 'iris', versions: ['1', '2'], liveVersion: '2' }]);
    expect(parseListings('nonsense')).toEqual([]);
    expect(
      parseDescription({
        task: 'tabular-regression',
        input: 'features',
        features: [{ name: 'size', unit: 'm', range: [0, 9] }, {}],
        columns: [
          { type: 'number', count: 1, nullable: true },
          { type: 'string', count: 1 },
        ],
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
        metrics: { r2: 0.9, note: 'x' },
        example: { features: [1, 2] },
      }),
    ).toEqual({
      task: 'tabular-regression',
      input: 'features',
      description: undefined,
      features: [
        { name: 'size', unit: 'm', range: [0, 9], description: undefined, values: [] },
        {
          name: '1',
          unit: undefined,
          range: undefined,
          description: undefined,
          values: [],
        },
      ],
      columns: [
        { isText: false, isNullable: true, count: 1 },
        { isText: true, isNullable: false, count: 1 },
      ],
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [],
      metrics: new Map([['r2', 0.9]]),
      example: { features: [1, 2] },
    });
  });
});
