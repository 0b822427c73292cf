import { TokenizerError } from './parts.ts';

/**
 * Through all steps of a tokenizer, a text may grow to `GROWTH` times its characters plus `MORE`. Unicode turns one
 * character into at most 18 (U+FDFA, in the compatibility forms), and a byte of UTF-8 becomes one character.
 */
const GROWTH = 32;
const MORE = 10_000;

/** How many characters a text of a length may become. */
export function roomFor(length: number): number {
  return GROWTH * length + MORE;
}

/** A tokenizer makes a text longer than allowed. */
export class GrowthError extends TokenizerError {
  constructor() {
    super(`its tokenizer turns a text into more than ${GROWTH} times its characters plus ${MORE}`);
  }
}

/**
 * Builds a text from parts, up to a length. From time to time the parts are joined, because each takes more memory than
 * its text.
 */
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
