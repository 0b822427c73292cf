import type { Pattern } from './patterns.ts';

/** A part of a text that is tokenized separately. */
export interface Piece {
  readonly text: string;
  /** Whether the whole text begins with it. */
  readonly isFirst: boolean;
}

/** How the matches of a pattern are treated, by the names in `tokenizer.json`. */
export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

interface Span {
  readonly start: number;
  readonly end: number;
  readonly isMatch: boolean;
}

/** Whether two neighbours, which match or do not, become one piece. */
const JOINS: Readonly<Record<SplitBehavior, (before: boolean, after: boolean) => boolean>> = {
  Removed: () => false,
  Isolated: () => false,
  MergedWithPrevious: (before, after) => after && !before,
  MergedWithNext: (before, after) => before && !after,
  Contiguous: (before, after) => before === after,
};

/**
 * Splits a piece at the matches of a pattern, as `NormalizedString::split` of Hugging Face's tokenizers does. Pieces
 * are found one by one, so the rest of a long text takes no time once a row is full.
 *
 * @param isInverted whether the parts that do not match are used as the matches
 */
export function* split(
  piece: Piece,
  pattern: Pattern,
  behavior: SplitBehavior,
  isInverted = false,
): Generator<Piece> {
  const joins = JOINS[behavior];
  let held: Span | undefined;
  for (const { start, end, isMatch } of spansOf(piece.text, pattern)) {
    const span = { start, end, isMatch: isMatch !== isInverted };
    if (held && joins(held.isMatch, span.isMatch)) {
      held = { ...span, start: held.start };
      continue;
    }
    if (held) yield* cut(piece, held, behavior);
    held = span;
  }
  if (held) yield* cut(piece, held, behavior);
}

/** The matches and what lies between them. */
function* spansOf(text: string, pattern: Pattern): Generator<Span> {
  let place = 0;
  for (const { start, end } of pattern(text)) {
    if (start > place) yield { start: place, end: start, isMatch: false };
    yield { start, end, isMatch: true };
    place = end;
  }
  if (place < text.length) yield { start: place, end: text.length, isMatch: false };
}

function* cut(piece: Piece, { start, end, isMatch }: Span, behavior: SplitBehavior): Generator<Piece> {
  if (end === start || (behavior === 'Removed' && isMatch)) return;
  yield { text: piece.text.slice(start, end), isFirst: piece.isFirst && start === 0 };
}
