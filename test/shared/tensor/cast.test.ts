import { describe, expect, it } from 'vitest';
import { castTensor, roundTensor } from '../../../shared/tensor/cast.ts';
import {
  DATATYPE_NAMES,
  DATATYPES,
  type Datatype,
  type TensorData,
} from '../../../shared/tensor/datatype.ts';
import { float16ToNumber, numberToFloat16 } from '../../../shared/tensor/float16.ts';
import { type Tensor, toNumbers } from '../../../shared/tensor/tensor.ts';

type Value = number | bigint;
type Numeric = Exclude<Datatype, 'BYTES'>;

const NUMERIC = DATATYPE_NAMES.filter((name): name is Numeric => name !== 'BYTES');

const OPTIONS = { field: 'Input "x"', bodyBytes: 1_000_000 };

/** The whole numbers that a datatype has. */
const RANGES: Partial<Record<Datatype, readonly [bigint, bigint]>> = {
  BOOL: [0n, 1n],
  UINT8: [0n, 255n],
  UINT16: [0n, 65_535n],
  UINT32: [0n, 4_294_967_295n],
  UINT64: [0n, 18_446_744_073_709_551_615n],
  INT8: [-128n, 127n],
  INT16: [-32_768n, 32_767n],
  INT32: [-2_147_483_648n, 2_147_483_647n],
  INT64: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
};

const EDGES = Object.values(RANGES).flat();
const AROUND = [...new Set([...EDGES, 2048n, 2n ** 24n, 2n ** 53n, -(2n ** 53n), 65_519n])].flatMap(
  (edge) => [edge - 1n, edge, edge + 1n],
);
const FRACTIONS = [0.5, -0.5, 0.1, 65_519.9, 65_520, 1e-7, 3.4e38, 1e39, 1e300, 2 ** 63, 2 ** 64, -(2 ** 63)];
const SPECIAL = [-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** The values of a datatype that are next to the edges of any other. */
function valuesOf(datatype: Numeric): readonly Value[] {
  const range = RANGES[datatype];
  if (range) {
    const own = AROUND.filter((value) => value >= range[0] && value <= range[1]);
    return isWide(datatype) ? own : own.map(Number);
  }
  const rounded = [...AROUND.map(Number), ...FRACTIONS].map((value) => roundTo(datatype, value));
  return [...new Set([...rounded.filter(Number.isFinite), ...SPECIAL])];
}

function isWide(datatype: Datatype): boolean {
  return datatype === 'INT64' || datatype === 'UINT64';
}

function roundTo(datatype: Datatype, value: number): number {
  if (datatype === 'FP16') return float16ToNumber(numberToFloat16(value));
  return datatype === 'FP32' ? Math.fround(value) : value;
}

/** The value in another datatype, one by one and in plain arithmetic; undefined if it does not fit. */
function expected(value: Value, from: Numeric, to: Numeric): Value | undefined {
  const number = Number(value);
  const range = RANGES[to];
  if (range) {
    if (typeof value === 'number' && !Number.isInteger(value)) return undefined;
    const whole = BigInt(value);
    if (whole < range[0] || whole > range[1]) return undefined;
    return isWide(to) ? whole : Number(whole);
  }
  const rounded = roundTo(to, number);
  if (!RANGES[from]) {
    return Number.isFinite(number) && !Number.isFinite(rounded) ? undefined : rounded;
  }
  return Number.isFinite(rounded) && BigInt(rounded) === BigInt(value) ? rounded : undefined;
}

function tensorOf(datatype: Numeric, values: readonly Value[]): Tensor {
  const data: TensorData = DATATYPES[datatype].allocate(values.length);
  for (const [index, value] of values.entries()) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[index] = BigInt(value);
    else if (!Array.isArray(data))
      data[index] = datatype === 'FP16' ? numberToFloat16(Number(value)) : Number(value);
  }
  return { datatype, shape: [values.length], data };
}

function listOf({ datatype, data }: Tensor): readonly unknown[] {
  return Array.from(data as ArrayLike<Value>, (value) =>
    datatype === 'FP16' ? float16ToNumber(Number(value)) : value,
  );
}

function attempt(work: () => Tensor): readonly unknown[] | string {
  try {
    return listOf(work());
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const PAIRS = NUMERIC.flatMap((from) => NUMERIC.filter((to) => to !== from).map((to) => [from, to] as const));

describe('castTensor', () => {
  it.each(PAIRS)('keeps or refuses each value of %s in %s', (from, to) => {
    for (const value of valuesOf(from)) {
      const result = attempt(() => castTensor(tensorOf(from, [value]), to, OPTIONS));
      const wanted = expected(value, from, to);
      expect([value, result]).toEqual([
        value,
        wanted === undefined
          ? `Element 0 of Input "x" is ${value}, which does not fit into the model's ${to}.`
          : // A whole number has no negative zero.
            [RANGES[to] && wanted === 0 ? 0 : wanted],
      ]);
    }
  });

  it.each(PAIRS)(
    'keeps the order of many values of %s in %s, and names the first that does not fit',
    (from, to) => {
      const fitting = valuesOf(from).filter((value) => expected(value, from, to) !== undefined);
      const misfit = valuesOf(from).find((value) => expected(value, from, to) === undefined);
      const many = Array.from({ length: 10_000 }, (_, index) => fitting[index % fitting.length] ?? 0);
      const wanted = many
        .map((value) => expected(value, from, to))
        .map((value) => (RANGES[to] && value === 0 ? 0 : value));
      expect(attempt(() => castTensor(tensorOf(from, many), to, OPTIONS))).toEqual(wanted);
      if (misfit === undefined) return;
      many[9_000] = misfit;
      many[9_500] = misfit;
      expect(attempt(() => castTensor(tensorOf(from, many), to, OPTIONS))).toBe(
        `Element 9000 of Input "x" is ${misfit}, which does not fit into the model's ${to}.`,
      );
    },
  );

  it('reads a part of a larger block of memory', () => {
    const whole = tensorOf('INT64', [1n, -2n, 3n, 4n]);
    const data = whole.data as BigInt64Array;
    expect(
      listOf(castTensor({ datatype: 'INT64', shape: [2], data: data.subarray(1, 3) }, 'FP32', OPTIONS)),
    ).toEqual([-2, 3]);
    expect(
      listOf(castTensor({ datatype: 'INT64', shape: [2], data: data.subarray(2) }, 'UINT64', OPTIONS)),
    ).toEqual([3n, 4n]);
  });

  it('refuses what would take more than twice the memory of a body', () => {
    const cast = (count: number) => () =>
      castTensor(tensorOf('UINT8', new Array<number>(count).fill(7)), 'INT64', { ...OPTIONS, bodyBytes: 80 });
    expect(listOf(cast(20)())).toEqual(new Array<bigint>(20).fill(7n));
    expect(cast(21)).toThrow(
      'Input "x" takes 168 bytes as INT64, which the model takes; the limit is 160 (twice MAX_BODY_BYTES).',
    );
  });

  it('refuses texts', () => {
    expect(() => castTensor({ datatype: 'BYTES', shape: [1], data: ['1'] }, 'FP32', OPTIONS)).toThrow(
      'Input "x" has the datatype BYTES; expected FP32.',
    );
    expect(() => castTensor(tensorOf('FP32', [1]), 'BYTES', OPTIONS)).toThrow(
      'Input "x" has the datatype FP32; expected BYTES.',
    );
  });
});

describe('roundTensor', () => {
  it.each(NUMERIC.flatMap((from) => (['FP16', 'FP32', 'FP64'] as const).map((to) => [from, to] as const)))(
    'rounds each value of %s to %s, and refuses those that become infinity',
    (from, to) => {
      for (const value of valuesOf(from)) {
        const rounded = roundTo(to, Number(value));
        const isLost = Number.isFinite(Number(value)) && !Number.isFinite(rounded);
        expect([value, attempt(() => roundTensor(tensorOf(from, [value]), to, OPTIONS))]).toEqual([
          value,
          isLost
            ? `Element 0 of Input "x" is ${value}, which does not fit into the model's ${to}.`
            : [rounded],
        ]);
      }
    },
  );
});

it.each(NUMERIC)('reads %s as numbers', (datatype) => {
  const values = valuesOf(datatype);
  expect(Array.from(toNumbers(tensorOf(datatype, values)))).toEqual(values.map(Number));
});
