import { TokenizerError } from './parts.ts';

/** The ids of tokens. */
export type Vocabulary = ReadonlyMap<string, number>;

/** The ids of a row's tokens, found one by one; undefined if the work on a long piece can pause. */
export type TokenIds = Iterable<number | undefined>;

/** Turns a piece of a text into the ids of its tokens. */
export type TokenModel = (text: string) => TokenIds;

/** Work on a long piece, which yields where it can pause. */
export type Steps<T> = Generator<undefined, T>;

/** Does all the work at once. */
export function finishSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Whether a loop can pause after this turn: the turns between two pauses take a few milliseconds. */
export function isEndOfStep(turn: number): boolean {
  return turn % TURNS_OF_STEP === TURNS_OF_STEP - 1;
}

const TURNS_OF_STEP = 8192;

/**
 * Reads `{"token": id}`; by hand, because there can be a quarter of a million tokens.
 *
 * @throws TokenizerError
 */
export function readVocabulary(vocab: unknown): Vocabulary {
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab)) throw broken();
  const ids = new Map<string, number>();
  for (const [token, id] of Object.entries(vocab)) {
    if (!isId(id)) throw broken();
    ids.set(token, id);
  }
  return ids;
}

/** Ids are below this number, so that the keys of pairs stay exact. */
export const MOST_TOKENS = 2 ** 26;

/** Whether a value can be the id of a token. */
function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < MOST_TOKENS;
}

/** The id of the token for unknown text. */
export function unknownId(vocabulary: Vocabulary, token: unknown): number {
  const id = typeof token === 'string' ? vocabulary.get(token) : undefined;
  if (id !== undefined) return id;
  throw new TokenizerError('its tokenizer.json has a vocabulary without its token for unknown words');
}

/** The ids of the tokens `<0x00>` to `<0xFF>`; undefined for those the vocabulary lacks. */
export function byteIds(vocabulary: Vocabulary): readonly (number | undefined)[] {
  return Array.from({ length: 256 }, (_, byte) =>
    vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  );
}

/** The ids of a text's bytes; undefined unless the vocabulary has them all. */
export function toByteIds(text: string, ids: readonly (number | undefined)[]): number[] | undefined {
  const found = Array.from(Buffer.from(text, 'utf8'), (byte) => ids[byte]);
  const known = found.filter((id) => id !== undefined);
  return known.length === found.length ? known : undefined;
}

function broken(): TokenizerError {
  return new TokenizerError('its tokenizer.json has a vocabulary that cannot be used');
}
