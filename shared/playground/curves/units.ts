import { formatBytes, formatMs } from '../numbers.ts';

export type Unit = 'number' | 'seconds' | 'bytes';

const FORMATS: Readonly<Record<Unit, (value: number) => string>> = {
  number: formatCount,
  seconds: (value) => (value < 1 ? formatMs(value * 1000) : `${formatCount(value)} s`),
  bytes: formatBytes,
};

/** A value with about three digits that matter, and its unit. */
export function formatValue(unit: Unit, value: number): string {
  return value === 0 ? '0' : FORMATS[unit](value);
}

function formatCount(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}
