import { pattern, toClass } from './characters.ts';

/** The names of Unicode's normal forms. */
export type NormalForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/** Characters that the normal forms leave alone: they are not decomposed, composed or reordered. */
const NORMAL_FORM_GAPS =
  '7fd 897-89f 8ca-8d3 9fe c3c d3b-d3c eba 1715 1abf-1add 1ae0-1aeb 1df6-1dfa 32ff a7f1-a7f4 a82c ab69 105c9 105e4 10781-10785 10787-107b0 107b2-107ba 10d24-10d27 10d69-10d6d 10eab-10eac 10efa-10efb 10efd-10eff 10f46-10f50 10f82-10f85 11070 1133b 11383 11385 1138e 11391 113c5 113c7-113c8 113ce-113d0 1145e 11839-1183a 11938 1193d-1193e 11943 119e0 11a34 11a47 11a99 11d42 11d44-11d45 11d97 11f41-11f42 16121-16128 1612f 16d68-16d6a 16ff0-16ff1 1ccd6-1ccf9 1e030-1e06d 1e08f 1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef 1e6f5 1f16c 1fbf0-1fbf9';
const GAP = pattern(`[${toClass(NORMAL_FORM_GAPS)}]`);
const BETWEEN_GAPS = pattern(`[^${toClass(NORMAL_FORM_GAPS)}]+`);

/** A text in one of Unicode's normal forms. */
export function toNormalForm(text: string, form: NormalForm): string {
  const normalize = (part: string) => sortMarks(part, form).normalize(form);
  return text.search(GAP) === -1 ? normalize(text) : text.replace(BETWEEN_GAPS, normalize);
}

/**
 * Characters whose decomposition can begin with a combining mark. Apart from the marks these are two half-width
 * letters, in the compatibility forms.
 */
const MARK = '[\\p{M}\\uff9e\\uff9f]';
/** The library handles shorter runs faster than they could be sorted here. */
const LONG_RUN = new RegExp(`${MARK}{32,}`, 'gu');
const PARTS_OF_RUN = new RegExp(`${MARK}{1,32}`, 'gu');

/**
 * Puts long runs of combining marks into the order of their classes, which does not change the normal form of the text.
 * The library of V8 (ICU) sorts such a run by insertion, which takes the square of its length: 300,000 marks of two
 * classes took 15 s, in one call that nothing can interrupt. A sorted run takes it one step per mark.
 *
 * Source: the Unicode Standard, section 3.11 ("Canonical Ordering Algorithm").
 */
export function sortMarks(text: string, form: NormalForm): string {
  const decomposed = form.includes('K') ? 'NFKD' : 'NFD';
  return text.replace(LONG_RUN, (run) => {
    // One mark can become two of different classes, so marks are sorted after their decomposition.
    return sortRun(run.replace(PARTS_OF_RUN, (part) => part.normalize(decomposed)));
  });
}

/**
 * Sorts decomposed marks. Those of class 0 stay in place, and other marks do not move past them. Marks are put into one
 * string for each class, which takes the same few steps for each mark in any order.
 */
function sortRun(run: string): string {
  const ranks = ranksOf(distinctCharacters(run));
  const classes = new Set(ranks.values()).size;
  let sorted = '';
  let waiting: string[] = new Array(classes + 1).fill('');
  for (const mark of run) {
    const rank = ranks.get(mark) ?? 0;
    if (rank === 0) {
      sorted += waiting.join('') + mark;
      waiting = waiting.fill('');
    } else waiting[rank] += mark;
  }
  return sorted + waiting.join('');
}

/** Several times as fast as a set of the characters themselves. */
function distinctCharacters(text: string): readonly string[] {
  const codes = new Set<number>();
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at) ?? 0;
    codes.add(code);
    if (code > 0xffff) at++;
  }
  return Array.from(codes, (code) => String.fromCodePoint(code));
}

/** Numbers in the order of the combining classes, the same for marks of one class, 0 for class 0. */
function ranksOf(marks: readonly string[]): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>();
  // Unicode has fewer than a thousand marks that have a class: the library can sort one of each.
  const ordered = marks.filter(hasClass).join('').normalize('NFD');
  let rank = 0;
  let before = '';
  for (const mark of ordered) {
    if (before === '' || isAfter(mark, before)) rank++;
    ranks.set(mark, rank);
    before = mark;
  }
  return ranks;
}

/** Whether a mark moves: only one without a class stays between the mark of the highest and that of the lowest. */
function hasClass(mark: string): boolean {
  return `\u0345${mark}\u0334`.normalize('NFD') !== `\u0345${mark}\u0334`;
}

/** Whether the class of a mark is higher than that of another: only then are the two exchanged. */
function isAfter(mark: string, other: string): boolean {
  return `${mark}${other}`.normalize('NFD') !== `${mark}${other}`;
}
