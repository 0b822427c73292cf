/** Work that the patterns of one search may take together: each step compares one character. */
export interface Steps {
  left: number;
}

/**
 * Whether a text matches a pattern of SQL, in which `%` stands for any characters and `_` for one.
 *
 * @param steps is charged for the work
 * @returns undefined when there are no steps left
 */
export function matchesLike(text: string, pattern: string, steps: Steps): boolean | undefined {
  let at = 0;
  let place = 0;
  // Where the last `%` was, and up to where it reaches so far.
  let star = -1;
  let reached = 0;
  while (at < text.length) {
    if (--steps.left < 0) return undefined;
    const mark = pattern[place];
    if (mark === '%') {
      star = place++;
      reached = at;
    } else if (mark === '_' || (mark !== undefined && mark === text[at])) {
      at++;
      place++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++reached;
    } else return false;
  }
  while (pattern[place] === '%') place++;
  return place === pattern.length;
}
