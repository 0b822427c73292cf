/** A value with about three digits, and commas between thousands. A dash stands for a value that is missing. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1000) return roundTo(value, size).toLocaleString('en-US');
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return size >= 1 || value === 0 ? value.toFixed(2) : value.toPrecision(2);
}

/** Four digits, as more would only be noise. */
function roundTo(value: number, size: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(size)) - 3);
  return Math.round(value / unit) * unit;
}
