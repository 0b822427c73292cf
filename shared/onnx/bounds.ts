/** The lowest and the highest value that the elements of a tensor can have. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

export const ANY: Bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
export const NOT_NEGATIVE: Bounds = { low: 0, high: Number.POSITIVE_INFINITY };
export const NOT_POSITIVE: Bounds = { low: Number.NEGATIVE_INFINITY, high: 0 };
export const SHARE: Bounds = { low: 0, high: 1 };
/** Shares are rounded to float32, and a forest adds up thousands of them: the sum can exceed one by this much. */
export const SHARE_ROUNDING = 1e-3;

/** Bounds of concatenated values. */
export function join(all: readonly Bounds[]): Bounds {
  return fold(all, (a, b) => ({ low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) }));
}

/** Bounds of the element-wise maximum of values. */
export function largest(all: readonly Bounds[]): Bounds {
  return fold(all, (a, b) => ({ low: Math.max(a.low, b.low), high: Math.max(a.high, b.high) }));
}

export function sum(all: readonly Bounds[]): Bounds {
  return fold(all, add);
}

function fold(all: readonly Bounds[], combine: (a: Bounds, b: Bounds) => Bounds): Bounds {
  return all.length > 0 ? all.reduce(combine) : ANY;
}

export function negate({ low, high }: Bounds): Bounds {
  return { low: -high, high: -low };
}

export function add(a: Bounds, b: Bounds): Bounds {
  return { low: a.low + b.low, high: a.high + b.high };
}

export function multiply(a: Bounds, b: Bounds): Bounds {
  // Zero times an unbounded value counts as zero.
  const products = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high].map(
    (product) => product || 0,
  );
  return { low: Math.min(...products), high: Math.max(...products) };
}

export function divide(a: Bounds, b: Bounds): Bounds {
  return b.low < 0 ? ANY : multiply(a, { low: 1 / b.high, high: b.low === 0 ? ANY.high : 1 / b.low });
}
