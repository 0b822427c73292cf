/** Bytes that are a visible character in Latin-1. */
const VISIBLE = '!-~\\xa1-\\xac\\xae-\\xff';
const INVISIBLE = new RegExp(`[^${VISIBLE}]`, 'g');

/** What stands for each of the other bytes: a character from U+0100 on, as in GPT-2. */
const STAND_INS: ReadonlyMap<string, string> = new Map(
  Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
    .filter((character) => character.search(INVISIBLE) !== -1)
    .map((character, index) => [character, String.fromCharCode(0x100 + index)]),
);

/** A text as the characters that stand for its bytes of UTF-8: for visible ones themselves. */
export function byteCharacters(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return bytes.replace(INVISIBLE, (character) => STAND_INS.get(character) ?? character);
}
