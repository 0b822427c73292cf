import {
  COLUMN_BYTES,
  GROUP_PIXELS,
  LOW_BITS,
} from '../../../shared/processing/image/steps/resample/simd-module.ts';
import {
  assemble,
  type Code,
  get,
  i8x16,
  i16x8,
  i32,
  i32x4,
  repeatWhile,
  set,
  v128,
  type WasmFunction,
} from './assembler.ts';

/**
 * The inner loops of the resampler for vectors of 128 bits. A weight of 23 bits does not fit into the int16 that
 * vectors multiply fastest, so it comes in two parts: the sum of pixel * high is shifted and added to the sum of pixel
 * * low. The result is exact, and equals Pillow's sum modulo 2^32.
 */
export function assembleSimd(): Uint8Array {
  return assemble([rows(3), rows(4), columns()]);
}

/**
 * `rows3`, `rows4`: (source, source pitch, target, target pitch, weights, pixels). Makes one target row of each of four
 * source rows. Weights are, for each target pixel, the number of its first source pixel, how many groups of four source
 * pixels it has, and for each group the parts of its weights as int16: low 0 1, low 2 3, high 0 1, high 2 3. For three
 * channels it writes one byte after the last pixel.
 */
function rows(channels: number): WasmFunction {
  const [source, sourcePitch, target, targetPitch, weights, pixels, groups] = [0, 1, 2, 3, 4, 5, 6];
  const at = (row: number) => 7 + row;
  const [bytes, pick01, pick23] = [11, 12, 13];
  const sums = { low: 20, high: 24 };
  const body = [
    // As variables the masks stay in registers, which makes the loop a third faster.
    set(pick01, pickPixels(0, channels)),
    set(pick23, pickPixels(2, channels)),
    repeatWhile(
      get(pixels),
      set(groups, i32.load(get(weights), 4)),
      set(at(0), i32.add(get(source), i32.mul(i32.load(get(weights), 0), i32.const(channels)))),
      [1, 2, 3].map((row) => set(at(row), i32.add(get(at(row - 1)), get(sourcePitch)))),
      set(weights, i32.add(get(weights), i32.const(8))),
      clearSums(sums),
      addGroups({ weights, groups, bytes, pick01, pick23, at, sums }, channels),
      set(bytes, bytesOfSums(sums)),
      FOUR.map((row) => v128.store32Lane(addressOfRow(target, targetPitch, row), get(bytes), row)),
      set(target, i32.add(get(target), i32.const(channels))),
      set(pixels, i32.sub(get(pixels), i32.const(1))),
    ),
  ];
  return { name: `rows${channels}`, parameters: 6, integers: 5, vectors: 17, body };
}

interface GroupVariables {
  readonly weights: number;
  readonly groups: number;
  readonly bytes: number;
  readonly pick01: number;
  readonly pick23: number;
  readonly at: (row: number) => number;
  readonly sums: Sums;
}

function addGroups(variables: GroupVariables, channels: number): Code {
  const { weights, groups, bytes, pick01, pick23, at, sums } = variables;
  const [first, second, low01, low23, high01, high23] = [14, 15, 16, 17, 18, 19];
  const add = (sum: number, part01: number, part23: number) => {
    const half = i32x4.add(get(sum), i32x4.dot(get(first), get(part01)));
    return set(sum, i32x4.add(half, i32x4.dot(get(second), get(part23))));
  };
  return repeatWhile(
    get(groups),
    [low01, low23, high01, high23].map((part, index) => set(part, v128.load32Splat(get(weights), 4 * index))),
    FOUR.map((row) => [
      set(bytes, v128.load(get(at(row)))),
      set(first, i8x16.swizzle(get(bytes), get(pick01))),
      set(second, i8x16.swizzle(get(bytes), get(pick23))),
      add(sums.low + row, low01, low23),
      add(sums.high + row, high01, high23),
      set(at(row), i32.add(get(at(row)), i32.const(GROUP_PIXELS * channels))),
    ]),
    set(weights, i32.add(get(weights), i32.const(16))),
    set(groups, i32.sub(get(groups), i32.const(1))),
  );
}

/**
 * `columns`: (source, source pitch, target, weights, pairs, bytes). Makes one target row, a multiple of 16 bytes, of
 * twice as many source rows as there are pairs. Weights are, for each pair, the low and the high parts as int16.
 */
function columns(): WasmFunction {
  const [source, sourcePitch, target, weights, pairs, bytes, at, weightsAt, left] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8,
  ];
  const [upper, lower, low, high] = [9, 10, 11, 12];
  const sums = { low: 15, high: 19 };
  const body = repeatWhile(
    get(bytes),
    set(at, get(source)),
    set(weightsAt, get(weights)),
    set(left, get(pairs)),
    clearSums(sums),
    repeatWhile(
      get(left),
      set(upper, v128.load(get(at))),
      set(lower, v128.load(addressOfRow(at, sourcePitch, 1))),
      set(low, v128.load32Splat(get(weightsAt), 0)),
      set(high, v128.load32Splat(get(weightsAt), 4)),
      addEight({ upper, lower, low, high, sums }, 0),
      addEight({ upper, lower, low, high, sums }, 8),
      set(at, addressOfRow(at, sourcePitch, 2)),
      set(weightsAt, i32.add(get(weightsAt), i32.const(8))),
      set(left, i32.sub(get(left), i32.const(1))),
    ),
    v128.store(get(target), bytesOfSums(sums)),
    set(source, i32.add(get(source), i32.const(COLUMN_BYTES))),
    set(target, i32.add(get(target), i32.const(COLUMN_BYTES))),
    set(bytes, i32.sub(get(bytes), i32.const(COLUMN_BYTES))),
  );
  return { name: 'columns', parameters: 6, integers: 3, vectors: 14, body };
}

interface PairVariables {
  readonly upper: number;
  readonly lower: number;
  readonly low: number;
  readonly high: number;
  readonly sums: Sums;
}

/** Adds eight bytes of two rows, from lane `from` on, to two of the four sums. */
function addEight({ upper, lower, low, high, sums }: PairVariables, from: number): Code {
  const [mixed, values] = [13, 14];
  const lanes = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((lane) => [from + lane, from + lane + 16]);
  const add = (part: number, four: Code) => [
    set(values, four),
    set(sums.low + part, i32x4.add(get(sums.low + part), i32x4.dot(get(values), get(low)))),
    set(sums.high + part, i32x4.add(get(sums.high + part), i32x4.dot(get(values), get(high)))),
  ];
  return [
    set(mixed, i8x16.shuffle(get(upper), get(lower), lanes)),
    add(from / 4, i16x8.extendLowUnsigned(get(mixed))),
    add(from / 4 + 1, i16x8.extendHighUnsigned(get(mixed))),
  ];
}

/** Where the four vectors of sums of the low and of the high parts begin. */
interface Sums {
  readonly low: number;
  readonly high: number;
}

const FOUR = [0, 1, 2, 3];
const SUM_BITS = 22;
const HALF = v128.const(FOUR.flatMap(() => [0, 0, 0x20, 0]));
const ZERO = v128.const(FOUR.flatMap(() => [0, 0, 0, 0]));

/** Starts the sums at half a level, so that the shift at the end rounds. */
function clearSums({ low, high }: Sums): Code {
  return FOUR.map((part) => [set(low + part, HALF), set(high + part, ZERO)]);
}

/** Sixteen clipped bytes from four vectors of four sums. */
function bytesOfSums({ low, high }: Sums): Code {
  const total = (part: number) => {
    const sum = i32x4.add(i32x4.shiftLeft(get(high + part), i32.const(LOW_BITS)), get(low + part));
    return i32x4.shiftRight(sum, i32.const(SUM_BITS));
  };
  return i8x16.narrowUnsigned(i16x8.narrowSigned(total(0), total(1)), i16x8.narrowSigned(total(2), total(3)));
}

/** A mask for `swizzle` that gives two pixels as int16, with the same channels of both next to each other. */
function pickPixels(first: number, channels: number): Code {
  // An index that is too large gives 0.
  const nothing = 0x80;
  const at = (channel: number) => first * channels + channel;
  return v128.const(
    FOUR.flatMap((c) =>
      c < channels ? [at(c), nothing, at(c) + channels, nothing] : [nothing, nothing, nothing, nothing],
    ),
  );
}

function addressOfRow(base: number, pitch: number, row: number): Code {
  return row === 0 ? get(base) : i32.add(addressOfRow(base, pitch, row - 1), get(pitch));
}
