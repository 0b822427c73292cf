import * as z from 'zod/mini';
import { CHARACTER, maskNewer, WORD } from './characters.ts';
import { roomFor } from './growth.ts';
import type { Normalizer } from './normalizers.ts';
import { createTokenSearch, occurrences, type TokenSearch } from './occurrences.ts';
import type { Piece } from './split.ts';
import { finishSteps } from './vocabulary.ts';

/** Tokens that are searched for in a text before any other step. */
export const addedTokenSchema = z.object({
  id: z.int().check(z.minimum(0)),
  content: z.string(),
  single_word: z._default(z.boolean(), false),
  lstrip: z._default(z.boolean(), false),
  rstrip: z._default(z.boolean(), false),
  normalized: z.optional(z.boolean()),
  special: z._default(z.boolean(), false),
});

export type AddedToken = z.infer<typeof addedTokenSchema>;

/** A piece that is a token already has its id. */
export interface AddedPiece extends Piece {
  readonly id?: number;
}

/** Cuts a text at added tokens and normalizes the rest; yields undefined if the work can pause. */
export type AddedSplitter = (text: string) => Iterable<AddedPiece | undefined>;

interface Finder {
  readonly search: TokenSearch;
  readonly tokens: readonly AddedToken[];
}

/**
 * Makes a function that finds added tokens as Hugging Face's tokenizers does: those that are not normalized in the text
 * as it came, the others, normalized, in the normalized text; the longest of those that begin at the leftmost place.
 */
export function createAddedSplitter(tokens: readonly AddedToken[], normalize: Normalizer): AddedSplitter {
  const isNormalized = (token: AddedToken) => token.normalized ?? !token.special;
  const raw = createFinder(tokens.filter((token) => !isNormalized(token)));
  const normalized = createFinder(tokens.filter(isNormalized), normalize);
  return function* (text) {
    let room = roomFor(text.length);
    for (const piece of find(raw, { text, isFirst: true })) {
      if (piece === undefined || piece.id !== undefined) yield piece;
      else {
        const changed = yield* normalize(piece, room);
        room -= changed.text.length;
        yield* find(normalized, changed);
      }
    }
  };
}

function createFinder(tokens: readonly AddedToken[], normalize?: Normalizer): Finder {
  // Of equal contents the first counts, special tokens before others.
  const ordered = [...tokens.filter(({ special }) => special), ...tokens.filter(({ special }) => !special)];
  const contentOf = (content: string) =>
    normalize
      ? finishSteps(normalize({ text: content, isFirst: true }, roomFor(content.length))).text
      : content;
  const contents = ordered.map(({ content }, index) => [contentOf(content), index] as const);
  return {
    search: createTokenSearch(contents.filter(([content]) => content !== '').reverse()),
    tokens: ordered,
  };
}

function* find(finder: Finder, piece: Piece): Generator<AddedPiece | undefined> {
  const { text } = piece;
  const cut = (start: number, end: number, id?: number): AddedPiece => ({
    text: text.slice(start, end),
    isFirst: piece.isFirst && start === 0,
    ...(id === undefined ? {} : { id }),
  });
  let done = 0;
  let spacesEnd = 0;
  for (const found of finder.tokens.length > 0 ? occurrences(finder.search, text) : []) {
    const token = found && finder.tokens[found.id];
    if (!token) {
      yield;
      continue;
    }
    if (token.single_word && (endsWithWord(text, found.start) || startsWithWord(text, found.end))) continue;
    const start = token.lstrip ? spacesBefore(text, found.start, done) : found.start;
    // Tokens that end in the same run of white space have the same end.
    if (token.rstrip && found.end > spacesEnd) spacesEnd = spacesAfter(text, found.end);
    const end = token.rstrip ? spacesEnd : found.end;
    if (start > done) yield cut(done, start);
    yield cut(start, end, token.id);
    done = end;
  }
  if (done < text.length) yield cut(done, text.length);
}

const WORD_CHARACTER = new RegExp(`[${WORD}]`, 'u');

function isWord(character: string): boolean {
  return WORD_CHARACTER.test(maskNewer(character));
}

function startsWithWord(text: string, place: number): boolean {
  return isWord(String.fromCodePoint(text.codePointAt(place) ?? 0x20));
}

function endsWithWord(text: string, place: number): boolean {
  return isWord(Array.from(text.slice(Math.max(0, place - 2), place)).at(-1) ?? ' ');
}

/** All white space lies in the first plane, so UTF-16 units can be used as characters. */
function isSpace(text: string, place: number): boolean {
  return text.charAt(place).search(CHARACTER.whiteSpace) !== -1;
}

/** Where the white space before a place begins, but not before another given place. */
function spacesBefore(text: string, place: number, least: number): number {
  if (place < least) return least;
  let start = place;
  while (start > least && isSpace(text, start - 1)) start--;
  return start;
}

function spacesAfter(text: string, place: number): number {
  let end = place;
  while (end < text.length && isSpace(text, end)) end++;
  return end;
}
