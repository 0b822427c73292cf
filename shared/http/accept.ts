interface MediaRange {
  readonly range: string;
  readonly weight: number;
  /** Where it stands in the header. */
  readonly place: number;
}

/**
 * The media type that an Accept header likes best of those offered: the one with the highest weight, then the one the
 * header names first, then the one offered first. Of the ranges that fit a type the most specific one gives its weight.
 * Source: RFC 9110, section 12.5.1.
 *
 * @param accept the header; without one everything is liked
 * @param offered types in lower case, the usual one first
 * @returns undefined when none of them is accepted
 */
export function chooseMediaType<T extends string>(
  accept: string | null,
  offered: readonly T[],
): T | undefined {
  if (accept === null || accept.trim() === '') return offered[0];
  const ranges = accept.split(',').map(readRange);
  const liked = offered.flatMap((type) => {
    const [best] = ranges.filter(({ range }) => fits(type, range)).sort(bySpecificity);
    return best && best.weight > 0 ? [{ type, ...best }] : [];
  });
  return liked.sort((a, b) => b.weight - a.weight || a.place - b.place)[0]?.type;
}

function readRange(text: string, place: number): MediaRange {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = given === undefined ? 1 : Number(given.slice(2));
  return { range, weight: Number.isNaN(weight) ? 1 : weight, place };
}

function fits(type: string, range: string): boolean {
  return range === type || range === '*/*' || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)));
}

/** Ranges with fewer wildcards come first. */
function bySpecificity(a: MediaRange, b: MediaRange): number {
  return wildcards(a.range) - wildcards(b.range);
}

function wildcards(range: string): number {
  return range.split('*').length;
}
