/** What a terminal acts on instead of showing it: control characters but the line feed, and those that turn text around. */
const ACTIVE = /[[\p{Cc}\p{Bidi_Control}\u2028\u2029]--\n]/gv;

/**
 * Text that a terminal shows and does not act on: each control and bidirectional character, and each separator of lines
 * but the line feed, is written as `\u....`. In JSON text these can stand in strings only, so it stays the same JSON.
 *
 * Source: Unicode Standard Annex 9, section 2; ECMA-48, section 5.
 */
export function printable(text: string): string {
  return text.replace(ACTIVE, escapeCharacter);
}

/** The same for what is one line, such as a name in a table. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
