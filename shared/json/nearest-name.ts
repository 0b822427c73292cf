/** Longer names are not compared: the time grows with the square of the length. */
const LONGEST = 40;

/**
 * The known name that somebody probably meant by an unknown one: the same letters in another case or with other signs
 * between them, or a name with a mistake or two in it. Undefined if no name is near.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  const letters = lettersOf(name);
  // One mistake in up to seven letters, two in longer names: "scale" must not become "shape".
  const most = letters.length < 8 ? 1 : 2;
  const near = known
    .map((candidate) => ({ candidate, mistakes: countMistakes(letters, lettersOf(candidate)) }))
    .filter(({ mistakes, candidate }) => mistakes <= Math.min(most, candidate.length - 2));
  return near.sort((a, b) => a.mistakes - b.mistakes)[0]?.candidate;
}

function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/**
 * How many letters are missing, surplus, wrong, or swapped with the next one.
 *
 * Source: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance (optimal string alignment)
 */
function countMistakes(a: string, b: string): number {
  let older: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const next = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      next.push(
        Math.min(
          at(last, column) + 1,
          at(next, column - 1) + 1,
          at(last, column - 1) + (isSame ? 0 : 1),
          isSwapped ? at(older, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    older = last;
    last = next;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
