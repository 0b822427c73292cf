const UNITS = ['kB', 'MB', 'GB', 'TB'];

/** A size in the largest unit that it has one of, with three digits: `812 bytes`, `72.7 kB`, `1.20 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  // Rounded before the unit is chosen: 999,999 bytes are 1.00 MB.
  const rounded = Number(bytes.toPrecision(3));
  const power = Math.min(UNITS.length, Math.floor(Math.log10(rounded) / 3));
  return `${(rounded / 1000 ** power).toPrecision(3)} ${UNITS[power - 1]}`;
}
