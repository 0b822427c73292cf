/** A string of a JSON text, or none. */
export interface FoundString {
  /** Undefined where the text has no valid string there. */
  readonly value: string | undefined;
  /** Index after the string, or of what is wrong: the end of the text where a string is not closed. */
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Characters below it must be escaped. */
const FIRST_PLAIN = 0x20;
/** Up to this length a string is copied; V8 keeps a longer one as a part of the text, which would stay in memory with it. */
const SHORT = 12;

/**
 * Reads the string whose opening quote stands at `start` of a JSON text. What is inside is left to `JSON.parse`, which
 * knows all escapes.
 */
export function readStringAt(text: string, start: number): FoundString {
  const first = start + 1;
  for (let end = first; end <= first + SHORT; end++) {
    const code = text.charCodeAt(end);
    if (code === QUOTE) return { value: text.slice(first, end), end: end + 1 };
    if (code === BACKSLASH || !(code >= FIRST_PLAIN)) break;
  }
  const quote = closingQuote(text, start);
  if (quote === -1) return { value: undefined, end: text.length };
  try {
    const value: string = JSON.parse(text.slice(start, quote + 1));
    return { value, end: quote + 1 };
  } catch {
    return { value: undefined, end: start };
  }
}

/** Index of the quote that closes the string opened at `start`, or -1. A pattern would overflow on long strings. */
function closingQuote(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}
