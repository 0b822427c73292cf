import { describe, expect, it } from 'vitest';
import type { RasterData } from '../../../../../shared/processing/image/raster.ts';
import { datatype } from '../../../../../shared/processing/image/steps/datatype.ts';
import { datatypeOptions } from '../../../../../shared/processing/image/steps/options.ts';

const VALUES = Float32Array.of(0, 0.5, -1.75, 254.99, 300, -200, 40_000);

function cast(values: RasterData, name: string): RasterData {
  const image = { width: values.length, height: 1, channels: 1, layout: 'HWC', data: values } as const;
  const cast = datatype(image, datatypeOptions.parse({ step: 'datatype', datatype: name }));
  expect(cast.datatype).toBe(name);
  return cast.data;
}

describe('datatype', () => {
  it.each([
    ['UINT8', Uint8Array.of(0, 0, 0, 254, 255, 0, 255)],
    ['INT8', Int8Array.of(0, 0, -1, 127, 127, -128, 127)],
    ['UINT16', Uint16Array.of(0, 0, 0, 254, 300, 0, 40_000)],
    ['INT16', Int16Array.of(0, 0, -1, 254, 300, -200, 32_767)],
    ['INT32', Int32Array.of(0, 0, -1, 254, 300, -200, 40_000)],
  ])('%s cuts towards zero and keeps to its range', (name, expected) => {
    expect(cast(VALUES, name)).toEqual(expected);
  });

  it('FP16 holds bit patterns, rounded to the nearest', () => {
    expect(cast(Float32Array.of(1, -2, 0.1, 65_536), 'FP16')).toEqual(
      Uint16Array.of(0x3c00, 0xc000, 0x2e66, 0x7c00),
    );
  });

  it('FP32 and FP64 hold bytes as they are', () => {
    expect(cast(Uint8Array.of(0, 7, 255), 'FP32')).toEqual(Float32Array.of(0, 7, 255));
    expect(cast(Uint8Array.of(0, 7, 255), 'FP64')).toEqual(Float64Array.of(0, 7, 255));
  });

  it('refuses what is not a datatype of pixels', () => {
    for (const name of ['BYTES', 'BOOL', 'float32', undefined]) {
      expect(datatypeOptions.safeParse({ step: 'datatype', datatype: name }).success).toBe(false);
    }
  });
});
