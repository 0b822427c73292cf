import * as z from 'zod/mini';
import { byteCharacters } from './byte-characters.ts';
import { CHARACTER, WHITE_SPACE, WORD } from './characters.ts';
import { GrowthError } from './growth.ts';
import { flattenParts, makePart, type Part, type PartMaker, readOptions } from './parts.ts';
import { literal, ofOlderUnicode, type Pattern, patternSchema, readPattern, toPattern } from './patterns.ts';
import { type Piece, type SplitBehavior, split } from './split.ts';

/**
 * Splits a piece of a text into smaller ones.
 *
 * @param room most characters all of them may have
 */
export type PreTokenizer = (piece: Piece, room: number) => Iterable<Piece>;

/** One step of a pre-tokenizer. */
type Splitter = (piece: Piece) => Iterable<Piece>;

/**
 * Makes a pre-tokenizer from `tokenizer.json`, which splits as Hugging Face's tokenizers does.
 *
 * @throws TokenizerError
 */
export function createPreTokenizer(part: Part | null | undefined): PreTokenizer {
  const steps = flattenParts('pre-tokenizer', part, 'pretokenizers').map((step) =>
    makePart('pre-tokenizer', MAKERS, step),
  );
  return (piece, room) =>
    steps.reduce<Iterable<Piece>>((pieces, step) => splitAll(pieces, step, room), [piece]);
}

/** Splits pieces as long as there is room for the results. */
function* splitAll(pieces: Iterable<Piece>, step: Splitter, room: number): Generator<Piece> {
  let left = room;
  for (const piece of pieces) {
    for (const part of step(piece)) {
      left -= part.text.length;
      if (left < 0) throw new GrowthError();
      yield part;
    }
  }
}

function chain(first: Splitter, second: Splitter): Splitter {
  return function* (piece) {
    for (const part of first(piece)) yield* second(part);
  };
}

const by =
  (pattern: Pattern, behavior: SplitBehavior, isInverted = false): Splitter =>
  (piece) =>
    split(piece, pattern, behavior, isInverted);

const MAKERS: Readonly<Record<string, PartMaker<Splitter>>> = {
  BertPreTokenizer: () => chain(by(SPACES, 'Removed'), by(PUNCTUATION, 'Isolated')),
  ByteLevel: createByteLevel,
  CharDelimiterSplit: (part) => {
    const { delimiter } = readOptions(part, z.looseObject({ delimiter: character }));
    return by(literal(delimiter), 'Removed');
  },
  Digits: (part) => {
    const { individual_digits } = readOptions(
      part,
      z.looseObject({ individual_digits: z._default(z.boolean(), false) }),
    );
    return by(toPattern(CHARACTER.numeric), individual_digits ? 'Isolated' : 'Contiguous');
  },
  FixedLength: (part) => {
    const { length } = readOptions(
      part,
      z.looseObject({ length: z._default(z.int().check(z.minimum(1)), 5) }),
    );
    return by(toPattern(new RegExp(`[^]{1,${length}}`, 'gu')), 'Isolated');
  },
  Metaspace: createMetaspace,
  Split: createSplit,
  Punctuation: (part) => {
    const { behavior } = readOptions(
      part,
      z.looseObject({ behavior: z._default(behaviorSchema, 'Isolated') }),
    );
    return by(PUNCTUATION, behavior);
  },
  Whitespace: () => by(WORDS, 'Removed', true),
  WhitespaceSplit: () => by(SPACES, 'Removed'),
};

/** One character, as it is in Hugging Face's tokenizers. */
const character = z.string().check(z.regex(/^.$/su));
const behaviorSchema = z.enum(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']);
const splitSchema = z.looseObject({
  pattern: patternSchema,
  behavior: behaviorSchema,
  invert: z._default(z.boolean(), false),
});
const byteLevelSchema = z.looseObject({
  add_prefix_space: z._default(z.boolean(), true),
  use_regex: z._default(z.boolean(), true),
});
const metaspaceSchema = z.looseObject({
  replacement: z._default(character, '\u2581'),
  str_rep: z.optional(z.string()),
  /** For older files, which had no scheme. */
  add_prefix_space: z._default(z.boolean(), true),
  prepend_scheme: z._default(z.enum(['always', 'first', 'never']), 'always'),
  split: z.nullish(z.boolean()),
});

const SPACES = toPattern(CHARACTER.whiteSpace);
const PUNCTUATION = toPattern(CHARACTER.punctuation);
const WORDS = ofOlderUnicode(new RegExp(`[${WORD}]+|[^${WORD}${WHITE_SPACE}]+`, 'gu'));
/** Words, numbers and the rest, each with the space before it, as GPT-2 splits. */
const BYTE_LEVEL_WORDS = ofOlderUnicode(
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu,
);

function createSplit(part: Part): Splitter {
  const { pattern, behavior, invert } = readOptions(part, splitSchema);
  return by(readPattern(pattern), behavior, invert);
}

function createByteLevel(part: Part): Splitter {
  const { add_prefix_space, use_regex } = readOptions(part, byteLevelSchema);
  return function* (piece) {
    const needsSpace = add_prefix_space && !piece.text.startsWith(' ');
    const whole = needsSpace ? { ...piece, text: ` ${piece.text}` } : piece;
    for (const word of use_regex ? split(whole, BYTE_LEVEL_WORDS, 'Isolated') : [whole]) {
      yield { ...word, text: byteCharacters(word.text) };
    }
  };
}

function createMetaspace(part: Part): Splitter {
  const { replacement, add_prefix_space, prepend_scheme, ...options } = readOptions(part, metaspaceSchema);
  const scheme = add_prefix_space ? prepend_scheme : 'never';
  const pattern = literal(replacement);
  return (piece) => {
    const text = piece.text.replaceAll(' ', () => replacement);
    const wanted = scheme === 'always' || (scheme === 'first' && piece.isFirst);
    const whole = { ...piece, text: wanted && !text.startsWith(replacement) ? replacement + text : text };
    return options.split === false ? [whole] : split(whole, pattern, 'MergedWithNext');
  };
}
