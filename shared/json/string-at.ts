/** A string in a JSON text, if there is one. */
export interface FoundString {
  /** Undefined if the text has no valid string there. */
  readonly value: string | undefined;
  /** Index after the string, or of the mistake: the end of the text if a string is not closed. */
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Characters below it must be escaped. */
const FIRST_PLAIN = 0x20;
/**
 * A string of up to this length is copied. V8 keeps a longer one as a slice of the text, which keeps the whole text in
 * memory.
 */
const SHORT = 12;

/**
 * Reads the string whose opening quote stands at `start` of a JSON text. `JSON.parse` reads its content, as it knows
 * all escapes.
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

/**
 * Index of the quote that closes the string opened at `start`, or -1. A regular expression would overflow the stack on
 * long strings.
 */
function closingQuote(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}
