const SMALLEST_NORMAL = 2 ** -126;
/** A float32 holds every whole number below this. */
const EXACT_INTEGERS = 2 ** 24;

/**
 * The number with the fewest decimal digits that reads back to the same float32. Plain `String(x)` of a float32
 * prints the digits of its float64 value: 0.1 would come out as 0.10000000149011612.
 *
 * @param value a number that a float32 holds exactly
 */
export function shortestFloat32(value: number): number {
  // Small whole numbers are their own digits; zero keeps its sign.
  if (Number.isInteger(value) && Math.abs(value) < EXACT_INTEGERS) return value;
  // Nine digits always distinguish two float32, and six always survive (IEEE 754, section 5.12.2); most need eight or
  // nine. If a number of digits is not enough, fewer are not enough either. Numbers below the smallest normal one have
  // fewer bits, so even one digit may be enough.
  const fewest = Math.abs(value) < SMALLEST_NORMAL ? 1 : 6;
  let shortest = Number(value.toPrecision(9));
  for (let digits = 8; digits >= fewest; digits--) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) !== value) break;
    shortest = candidate;
  }
  return shortest;
}
