/** How many results a memo keeps, and the longest text of one: clients choose most of these texts. */
const MOST_KEPT = 512;
const LONGEST_KEPT = 200;

/** A function of a text that keeps its results, for texts of which the same few come in nearly every request. */
export function memoize<R>(make: (text: string) => R): (text: string) => R {
  return memoizeBy((text) => text, make);
}

/**
 * The same for a function of something else.
 *
 * @param textOf the text on which alone the result depends
 */
export function memoizeBy<T, R>(textOf: (value: T) => string, make: (value: T) => R): (value: T) => R {
  let kept = new Map<string, R>();
  return (value) => {
    const text = textOf(value);
    const known = kept.get(text);
    if (known !== undefined) return known;
    const made = make(value);
    if (text.length > LONGEST_KEPT) return made;
    // All at once: that it is full shows that somebody sends ever new texts.
    if (kept.size >= MOST_KEPT) kept = new Map();
    kept.set(text, made);
    return made;
  };
}

/** A function that loads something with its first call, and only once. If that fails, the next call tries again. */
export function loadOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
