/**
 * Characters that a terminal acts on: control characters except the line feed, and those that change the direction of
 * text.
 */
const ACTIVE = /[[\p{Cc}\p{Bidi_Control}\u2028\u2029]--\n]/gv;

const PLAIN = /^[\n -~]*$/;

/**
 * Text that a terminal shows and does not act on: each control and bidirectional character, and each line separator
 * except the line feed, is written as `\u....`. In JSON these can occur only in strings, so it stays the same JSON.
 *
 * Source: Unicode Standard Annex 9, section 2; ECMA-48, section 5.
 */
export function printable(text: string): string {
  // Nearly all lines are plain ASCII, which is faster to see than that no character is one of many.
  return PLAIN.test(text) ? text : text.replace(ACTIVE, escapeCharacter);
}

/** The same for a single line, such as a name in a table. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
