/** The visible character that stands for each byte: itself where it is one, else one from U+0100 on, as in GPT-2. */
const CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  const isVisible = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isVisible(byte) ? byte : next++));
})();

/** A text as the characters that stand for its bytes of UTF-8. */
export function byteCharacters(text: string): string {
  let characters = '';
  for (const byte of Buffer.from(text, 'utf8')) characters += CHARACTERS[byte] ?? '';
  return characters;
}
