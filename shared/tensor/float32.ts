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
  const size = Math.abs(value);
  return size >= LEAST_SCALED && size < MOST_SCALED
    ? Math.sign(value) * scaleToShortest(size)
    : printShortest(value);
}

/**
 * Between these sizes, a float32 times a power of ten that moves up to nine digits before the point is exact as a
 * double: it has 24 bits, and five to the twelfth has 28. So rounding to a whole number rounds to that many digits, and
 * the division gives the double that the digits mean. This takes a tenth of the time of writing them.
 */
const [LEAST_SCALED, MOST_SCALED] = [1e-4, 1e6];
const POWERS_OF_TEN = Array.from({ length: 13 }, (_, exponent) => 10 ** exponent);

/**
 * Nine digits always distinguish two float32, and six always survive (IEEE 754, section 5.12.2); most need eight or
 * nine. If a number of digits is not enough, fewer are not enough either.
 */
const [MOST_DIGITS, SURE_DIGITS] = [9, 6];

function scaleToShortest(size: number): number {
  const before = Math.floor(Math.log10(size)) + 1;
  let shortest = size;
  for (let digits = MOST_DIGITS; digits >= SURE_DIGITS; digits--) {
    const power = POWERS_OF_TEN[digits - before] ?? 1;
    const candidate = Math.round(size * power) / power;
    if (digits < MOST_DIGITS && Math.fround(candidate) !== size) break;
    shortest = candidate;
  }
  return shortest;
}

/** Numbers below the smallest normal one have fewer bits, so even one digit may be enough. */
function printShortest(value: number): number {
  const fewest = Math.abs(value) < SMALLEST_NORMAL ? 1 : SURE_DIGITS;
  let shortest = Number(value.toPrecision(MOST_DIGITS));
  for (let digits = MOST_DIGITS - 1; digits >= fewest; digits--) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) !== value) break;
    shortest = candidate;
  }
  return shortest;
}
