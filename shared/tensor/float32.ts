const SMALLEST_NORMAL = 2 ** -126;

/**
 * The number with the fewest decimal digits that reads back to the same float32. Plain `String(x)` of a float32
 * prints the digits of its float64 value: 0.1 would come out as 0.10000000149011612.
 *
 * @param value a number that a float32 holds exactly
 */
export function shortestFloat32(value: number): number {
  // Six digits always survive a float32; nine always suffice to tell two float32 apart (IEEE 754, section 5.12.2).
  // Numbers below the smallest normal one have fewer bits, so that as little as one digit may do.
  const fewest = Math.abs(value) < SMALLEST_NORMAL ? 1 : 6;
  for (let digits = fewest; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}
