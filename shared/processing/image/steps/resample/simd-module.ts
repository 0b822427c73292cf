/**
 * Constants that the resampler's WebAssembly module shares with the code that calls it. infra/build/simd assembles the
 * module; its result is in simd-bytes.ts.
 */

/** Source rows that `rows3` and `rows4` work on at once. */
export const ROWS_AT_ONCE = 4;

/** Source pixels whose weights `rows3` and `rows4` take together. */
export const GROUP_PIXELS = 4;

/** Bytes that `columns` makes at once. */
export const COLUMN_BYTES = 16;

/** Bits of the low part of a weight. */
export const LOW_BITS = 12;
