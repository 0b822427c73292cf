import { parseQualityList } from './quality-list.ts';

/**
 * The media type that an Accept header likes best of those offered: the one with the highest weight, then the one the
 * header names first, then the one offered first. If several ranges fit a type, the most specific one gives its weight.
 * Source: RFC 9110, section 12.5.1.
 *
 * @param accept the header; if it is missing, every type is accepted
 * @param offered types in lower case, the usual one first
 * @returns undefined when none of them is accepted
 */
export function chooseMediaType<T extends string>(
  accept: string | null,
  offered: readonly T[],
): T | undefined {
  if (accept === null || accept.trim() === '') return offered[0];
  const ranges = parseQualityList(accept).map(({ value, weight }, place) => ({
    range: value,
    weight,
    place,
  }));
  const liked = offered.flatMap((type) => {
    const [best] = ranges.filter(({ range }) => fits(type, range)).sort(bySpecificity);
    return best && best.weight > 0 ? [{ type, ...best }] : [];
  });
  return liked.sort((a, b) => b.weight - a.weight || a.place - b.place)[0]?.type;
}

function fits(type: string, range: string): boolean {
  return range === type || range === '*/*' || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)));
}

/** Ranges with fewer wildcards come first. */
function bySpecificity(a: { readonly range: string }, b: { readonly range: string }): number {
  return wildcards(a.range) - wildcards(b.range);
}

function wildcards(range: string): number {
  return range.split('*').length;
}
