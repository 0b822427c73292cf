/** Whether a code point is one of a set. */
export type CharacterSet = (code: number) => boolean;

const PAGE = 256;

/**
 * Makes a set from the part of a regular expression with the flag `u` that stands for one character, such as
 * `[^\r\n\p{L}]`. V8 decides for each code point; the answers are computed and cached in pages of 256.
 */
export function createCharacterSet(source: string): CharacterSet {
  if (/^[^\\[.]/.test(source)) {
    const only = source.codePointAt(0);
    return (code) => code === only;
  }
  const pattern = new RegExp(`^${source}$`, 'u');
  const pages: (Uint8Array | undefined)[] = [];
  const readPage = (page: number): Uint8Array => {
    const members = Uint8Array.from({ length: PAGE }, (_, code) =>
      pattern.test(String.fromCodePoint(page * PAGE + code)) ? 1 : 0,
    );
    pages[page] = members;
    return members;
  };
  return (code) => {
    const page = code >>> 8;
    return (pages[page] ?? readPage(page))[code & 0xff] === 1;
  };
}
