import type * as z from 'zod/mini';
import { type Datatype, INTEGER_RANGES } from '../../../tensor/datatype.ts';
import { numberToFloat16 } from '../../../tensor/float16.ts';
import type { Raster, RasterData } from '../raster.ts';
import type { datatypeOptions } from './options.ts';

type DatatypeOption = z.infer<typeof datatypeOptions>['datatype'] & Datatype;

/**
 * Changes the datatype of the values. Floats are rounded to the nearest; whole numbers are cut towards zero, as NumPy's
 * `astype` does, and values out of range become the largest or smallest value of the datatype.
 */
export function datatype(image: Raster, options: z.infer<typeof datatypeOptions>): Raster {
  return { ...image, datatype: options.datatype, data: CASTS[options.datatype](image.data) };
}

const CASTS: Record<DatatypeOption, (values: RasterData) => RasterData> = {
  FP32: (values) => new Float32Array(values),
  FP16: (values) => Uint16Array.from(values, numberToFloat16),
  FP64: (values) => new Float64Array(values),
  UINT8: (values) => Uint8Array.from(values, fitTo('UINT8')),
  INT8: (values) => Int8Array.from(values, fitTo('INT8')),
  UINT16: (values) => Uint16Array.from(values, fitTo('UINT16')),
  INT16: (values) => Int16Array.from(values, fitTo('INT16')),
  INT32: (values) => Int32Array.from(values, fitTo('INT32')),
};

function fitTo(datatype: DatatypeOption): (value: number) => number {
  const [low, high] = INTEGER_RANGES[datatype] ?? [0, 0];
  return (value) => Math.trunc(Math.min(high, Math.max(low, value)));
}
