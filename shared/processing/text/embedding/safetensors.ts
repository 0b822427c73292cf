import * as z from 'zod/mini';

/** A matrix or a vector of a weights file. */
export interface Weights {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Bytes of the number at the beginning of a file: the length of its header. */
const PREFIX_BYTES = 8;
const FLOAT_BYTES = 4;

const headerSchema = z.record(
  z.string(),
  z.looseObject({
    dtype: z.optional(z.string()),
    shape: z.optional(z.array(z.int().check(z.minimum(0)))),
    data_offsets: z.optional(z.tuple([z.int().check(z.minimum(0)), z.int().check(z.minimum(0))])),
  }),
);

/**
 * Reads one tensor from a safetensors file: the length of a JSON header, the header, the numbers.
 *
 * @returns undefined if the file has no tensor of that name
 * @throws RangeError when the file is broken or its numbers are not float32
 */
export function readSafetensors(file: Buffer, name: string): Weights | undefined {
  const start = PREFIX_BYTES + Number(file.length < PREFIX_BYTES ? 0 : file.readBigUInt64LE(0));
  if (start <= PREFIX_BYTES || start > file.length) throw new RangeError('its header is cut off');
  const header = headerSchema.safeParse(parse(file.toString('utf8', PREFIX_BYTES, start)));
  if (!header.success) throw new RangeError('its header is broken');
  const entry = Object.hasOwn(header.data, name) ? header.data[name] : undefined;
  if (!entry) return undefined;
  const { dtype, shape = [], data_offsets: [from, to] = [0, 0] } = entry;
  if (dtype !== 'F32') throw new RangeError(`its tensor "${name}" is not of the datatype F32`);
  const count = shape.reduce((product, size) => product * size, 1);
  if (to - from !== count * FLOAT_BYTES || start + to > file.length) {
    throw new RangeError(`its tensor "${name}" is cut off`);
  }
  const bytes = file.subarray(start + from, start + to);
  return {
    shape,
    values: Float32Array.from({ length: count }, (_, i) => bytes.readFloatLE(i * FLOAT_BYTES)),
  };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
