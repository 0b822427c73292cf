import { DATATYPES, type Datatype, type TensorData } from '../../shared/tensor/datatype.ts';
import { numberToFloat16 } from '../../shared/tensor/float16.ts';
import type { Tensor } from '../../shared/tensor/tensor.ts';

export type Feeds = ReadonlyMap<string, Tensor>;

/** What a client sends to a model: its own inputs, changed in one way. */
export interface Condition {
  /** Conditions of one kind, such as the values of one input: a kind that has failed often is not tried again. */
  readonly group: string;
  readonly text: string;
  readonly feeds: Feeds;
}

type Special = number | bigint | string;

const LARGEST_ELEMENTS = 2_000_000;
const RANDOM_CONDITIONS = 150;
/** Up to this size an input counts as a list of indices, sizes or the like, whose positions are tried one by one. */
const SHORT_LIST = 6;
const POWERS = [7, 8, 15, 16, 31, 32, 33, 40, 61, 62, 63].map((exponent) => 2n ** BigInt(exponent));
const PAIRED: readonly bigint[] = [
  0n,
  1n,
  -1n,
  3n,
  -(2n ** 63n),
  2n ** 63n - 1n,
  2n ** 31n,
  2n ** 40n,
  -(2n ** 31n),
];
const PAIRED_FLOATS = [0, 1, -1, Number.NaN, Infinity, -Infinity, 1e30, -1e30, 1e-30];
const FLOATS = [
  Number.NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  -1,
  1,
  0.5,
  2,
  1e-30,
  1e-45,
  -1e-30,
  65_504,
  1e9,
  -1e9,
  2 ** 31,
  -(2 ** 31),
  2 ** 40,
  2 ** 63,
  -(2 ** 63),
  3.4028234663852886e38,
  -3.4028234663852886e38,
  1.7976931348623157e308,
];
const TEXTS = ['', 'a', ' ', '\0', 'é', '\ud800', 'ab'.repeat(500_000), '1', 'nan', '(', '1e999'];

/** The group of the conditions that change the sizes of all inputs together. */
export const EQUAL_SIZES = 'equal sizes';

/** How much is tried: all; only changes of one thing; or only the sizes of all inputs together. */
export type Extent = 'whole' | 'brief' | 'sizes';

/** The changes that are tried, in an order that is always the same. */
export function* conditionsOf(base: Feeds, extent: Extent): Generator<Condition> {
  yield { group: 'base', text: 'as in the suite', feeds: base };
  if (extent === 'sizes') return yield* equalSizeConditions(base);
  yield* dimensionConditions(base);
  yield* valueConditions(base);
  if (extent === 'brief') return;
  yield* combinedConditions(base);
  yield* randomConditions(base);
}

function* dimensionConditions(base: Feeds): Generator<Condition> {
  for (const [name, tensor] of base) {
    for (const shape of otherShapes(tensor.shape)) {
      const group = `${shape.length === tensor.shape.length ? 'sizes' : 'rank'} of ${name}`;
      yield {
        group,
        text: `${name}: ${JSON.stringify(shape)}`,
        feeds: withShapes(base, [name], () => shape),
      };
    }
  }
  yield* equalSizeConditions(base);
  const all = [...base.keys()];
  for (const shape of [
    [],
    [0],
    [1],
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
    [0, 0, 0],
    [1, 1, 1],
    [0, 4, 4],
    [1, 0, 4, 4],
    [1, 1, 0, 0],
    [1, 1, 1, 1],
  ]) {
    yield {
      group: 'equal shapes',
      text: `all: ${JSON.stringify(shape)}`,
      feeds: withShapes(base, all, () => shape),
    };
  }
  for (let axis = 0; axis < 4; axis++) {
    for (const other of [0, 1]) {
      yield {
        group: 'equal axes',
        text: `axis ${axis} of all: ${other}`,
        feeds: withShapes(base, all, (shape) => shape.map((size, i) => (i === axis ? other : size))),
      };
    }
  }
}

function* equalSizeConditions(base: Feeds): Generator<Condition> {
  const all = [...base.keys()];
  const sizes = new Set([...base.values()].flatMap(({ shape }) => shape));
  for (const size of sizes) {
    for (const other of [0, 1, size + 1]) {
      yield {
        group: EQUAL_SIZES,
        text: `each axis of ${size}: ${other}`,
        feeds: withShapes(base, all, (shape) => shape.map((axis) => (axis === size ? other : axis))),
      };
    }
  }
  for (const size of [0, 1]) {
    yield {
      group: EQUAL_SIZES,
      text: `all axes: ${size}`,
      feeds: withShapes(base, all, (shape) => shape.map(() => size)),
    };
  }
}

function otherShapes(shape: readonly number[]): number[][] {
  const shapes: number[][] = [];
  for (const [axis, size] of shape.entries()) {
    for (const other of [0, 1, size - 1, size + 1, size * 2, 17]) {
      if (other >= 0) shapes.push(shape.map((same, i) => (i === axis ? other : same)));
    }
  }
  shapes.push(
    shape.map(() => 0),
    shape.map(() => 1),
    shape.slice(1),
    shape.slice(0, -1),
    [1, ...shape],
    [...shape, 1],
    [0, ...shape],
    [...shape, 0],
    [],
    [0],
    [1],
    [7],
    [1, 1],
    [0, 0],
    [0, 4],
    [4, 0],
    [1, 1, 1],
    [1, 1, 1, 1],
    [1, 1, 1, 1, 1, 1, 1, 1],
    [2, 0, 3],
    [1_000],
  );
  const known = new Set([JSON.stringify(shape)]);
  return shapes.filter((candidate) => {
    const key = JSON.stringify(candidate);
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
}

function* valueConditions(base: Feeds): Generator<Condition> {
  for (const [name, tensor] of base) {
    const { length } = tensor.data;
    if (length === 0) continue;
    const specials = specialsOf(tensor.datatype, base);
    for (const special of specials) {
      const group = `values of ${name}`;
      const said = describeSpecial(special);
      yield { group, text: `${name}: all ${said}`, feeds: withValue(base, name, special, () => true) };
      if (length === 1) continue;
      const places =
        length <= SHORT_LIST ? Array.from({ length }, (_, i) => i) : [0, length >> 1, length - 1];
      for (const place of places) {
        yield {
          group,
          text: `${name}[${place}]: ${said}`,
          feeds: withValue(base, name, special, (i) => i === place),
        };
      }
    }
    const mixed = specials.filter((special) => typeof special !== 'string' || special.length < 100);
    const data = fromSpecials(
      tensor.datatype,
      Array.from({ length }, (_, i) => mixed[i % mixed.length] ?? 0),
    );
    yield {
      group: `values of ${name}`,
      text: `${name}: mixed`,
      feeds: withTensor(base, name, { ...tensor, data }),
    };
  }
  for (const special of [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 31n, ...PAIRED_FLOATS]) {
    let feeds = base;
    for (const [name, { datatype }] of base) {
      if ((typeof special === 'bigint') !== isFloat(datatype) && datatype !== 'BYTES') {
        feeds = withValue(feeds, name, special, () => true);
      }
    }
    yield { group: 'equal values', text: `all ${describeSpecial(special)}`, feeds };
  }
}

/** Two things at once: empty inputs with indices that are 0 or 1, and pairs of short lists. */
function* combinedConditions(base: Feeds): Generator<Condition> {
  const integers = [...base].filter(([, { datatype }]) => DATATYPES[datatype].kind === 'integer');
  for (const [name, tensor] of base) {
    for (const axis of tensor.shape.keys()) {
      for (const size of [0, 1, (tensor.shape[axis] ?? 0) + 1]) {
        const resized = withShapes(base, [name], (shape) =>
          shape.map((same, i) => (i === axis ? size : same)),
        );
        for (const value of [0n, 1n, -1n]) {
          let feeds = resized;
          for (const [integer] of integers) feeds = withValue(feeds, integer, value, () => true);
          yield {
            group: `axis of ${name} and integers`,
            text: `${name}, axis ${axis}: ${size}; integers: ${value}`,
            feeds,
          };
        }
      }
    }
  }
  const short = [...base].filter(
    ([, { data, datatype }]) => data.length > 0 && data.length <= 4 && datatype !== 'BYTES',
  );
  for (const [i, [first, { datatype: firstType }]] of short.entries()) {
    for (const [second, { datatype: secondType }] of short.slice(i + 1)) {
      for (const a of isFloat(firstType) ? PAIRED_FLOATS : PAIRED) {
        for (const b of isFloat(secondType) ? PAIRED_FLOATS : PAIRED) {
          yield {
            group: `values of ${first} and ${second}`,
            text: `${first}: ${describeSpecial(a)}; ${second}: ${describeSpecial(b)}`,
            feeds: withValue(
              withValue(base, first, a, () => true),
              second,
              b,
              () => true,
            ),
          };
        }
      }
    }
  }
}

function* randomConditions(base: Feeds): Generator<Condition> {
  const random = randomNumbers(1);
  const pick = <T>(values: readonly T[]): T | undefined => values[Math.floor(random() * values.length)];
  for (let round = 0; round < RANDOM_CONDITIONS; round++) {
    let feeds = base;
    for (const [name, tensor] of base) {
      if (random() < 0.4) {
        const shape = pick(otherShapes(tensor.shape)) ?? [];
        feeds = withShapes(feeds, [name], () => shape);
      }
      for (let i = 0; i < 2; i++) {
        if (random() < 0.6) continue;
        const special = pick(specialsOf(tensor.datatype, base)) ?? 0;
        const place = Math.floor(random() * tensor.data.length);
        const isEverywhere = random() < 0.4;
        feeds = withValue(feeds, name, special, (at) => isEverywhere || at === place);
      }
    }
    yield { group: 'random', text: `random ${round}`, feeds };
  }
}

function specialsOf(datatype: Datatype, base: Feeds): Special[] {
  if (datatype === 'BYTES') return TEXTS;
  if (datatype === 'BOOL') return [0n, 1n, 2n, 255n];
  if (isFloat(datatype)) return FLOATS;
  const sizes = [...base.values()].flatMap(({ shape }) => [...shape, shape.length]).map(BigInt);
  const candidates = new Set([
    0n,
    1n,
    2n,
    3n,
    4n,
    5n,
    10n,
    100n,
    ...sizes,
    ...sizes.map((size) => size + 1n),
    ...POWERS,
    ...POWERS.map((power) => power - 1n),
  ]);
  const [low, high] = rangeOf(datatype);
  return [...new Set([...candidates, ...[...candidates].map((value) => -value)])].filter(
    (value) => value >= low && value <= high,
  );
}

function isFloat(datatype: Datatype): boolean {
  return DATATYPES[datatype].kind === 'float';
}

function rangeOf(datatype: Datatype): [bigint, bigint] {
  const bits = BigInt(DATATYPES[datatype].elementBytes * 8);
  return datatype.startsWith('U') ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}

function describeSpecial(special: Special): string {
  return typeof special === 'string' && special.length > 20
    ? `${special.length} characters`
    : JSON.stringify(typeof special === 'string' ? special : String(Object.is(special, -0) ? '-0' : special));
}

function withValue(base: Feeds, name: string, special: Special, isPlace: (index: number) => boolean): Feeds {
  const tensor = base.get(name);
  if (!tensor) return base;
  const [filler] = fromSpecials(tensor.datatype, [special]);
  const data = tensor.data.slice();
  for (let i = 0; i < data.length; i++) if (isPlace(i) && filler !== undefined) data[i] = filler;
  return withTensor(base, name, { ...tensor, data });
}

function fromSpecials(datatype: Datatype, specials: readonly Special[]): TensorData {
  if (datatype === 'BYTES') return specials.map(String);
  if (datatype === 'INT64') return BigInt64Array.from(specials, toBigInt);
  if (datatype === 'UINT64') return BigUint64Array.from(specials, toBigInt);
  if (datatype === 'FP16') return Uint16Array.from(specials, (special) => numberToFloat16(Number(special)));
  // Typed arrays wrap whole numbers around, which keeps the bits of -1 and of the largest.
  return DATATYPES[datatype].fromNumbers(specials.map(Number));
}

function toBigInt(special: Special): bigint {
  return typeof special === 'bigint'
    ? special
    : BigInt(Number.isFinite(Number(special)) ? Math.trunc(Number(special)) : 0);
}

function withShapes(
  base: Feeds,
  names: readonly string[],
  reshape: (shape: readonly number[]) => readonly number[],
): Feeds {
  const feeds = new Map(base);
  for (const name of names) {
    const tensor = base.get(name);
    if (tensor) feeds.set(name, resize(tensor, reshape(tensor.shape)));
  }
  return feeds;
}

/** A tensor of another shape, whose elements are those of the first over and over. */
export function resize(tensor: Tensor, shape: readonly number[]): Tensor {
  const length = shape.reduce((product, size) => product * size, 1);
  if (length > LARGEST_ELEMENTS) return tensor;
  const data = DATATYPES[tensor.datatype].allocate(length);
  const source = tensor.data;
  for (let i = 0; i < length && source.length > 0; i++) {
    const element = source[i % source.length];
    if (element !== undefined) data[i] = element;
  }
  return { ...tensor, shape: [...shape], data };
}

function withTensor(base: Feeds, name: string, tensor: Tensor): Feeds {
  return new Map([...base, [name, tensor]]);
}

/** Numbers from 0 to 1, the same on each run. Source: the linear congruential generator of Numerical Recipes. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
