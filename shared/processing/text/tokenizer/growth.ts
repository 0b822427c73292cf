import { TokenizerError } from './parts.ts';

/**
 * A text may become so many characters for each of its own, and so many more, in all a tokenizer does to it. The most
 * that Unicode makes of one is 18 (U+FDFA, in the compatibility forms), and a byte of UTF-8 becomes one character.
 */
const GROWTH = 32;
const MORE = 10_000;

/** How many characters a text of a length may become. */
export function roomFor(length: number): number {
  return GROWTH * length + MORE;
}

/** A tokenizer makes more of a text than there is room for. */
export class GrowthError extends TokenizerError {
  constructor() {
    super(`its tokenizer makes of a text more than ${GROWTH} times as many characters and ${MORE} more`);
  }
}

/** Puts a text together of parts, up to a length. Many parts are joined now and then: each is larger than its text. */
export class TextBuilder {
  readonly #joined: string[] = [];
  #parts: string[] = [];
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  /** @throws GrowthError */
  append(part: string): void {
    this.#room -= part.length;
    if (this.#room < 0) throw new GrowthError();
    if (this.#parts.push(part) < 10_000) return;
    this.#joined.push(this.#parts.join(''));
    this.#parts = [];
  }

  build(): string {
    return this.#joined.join('') + this.#parts.join('');
  }
}
