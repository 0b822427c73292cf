import type { TokenBatch } from '../tokenizer/tokenizer.ts';

/** How a model counts the places of its tokens. */
export interface PositionScheme {
  /** The place of the first token. */
  readonly first: number;
  /** The place number of padding. */
  readonly padding: number;
}

/** Text decoders, whose exports take places as an input: starting at 0, and 1 for padding as in transformers. */
export const DECODER_POSITIONS: PositionScheme = { first: 0, padding: 1 };

/** RoBERTa and similar models, whose places begin after that of the padding. */
export function shiftedPositions(padId: number): PositionScheme {
  return { first: padId + 1, padding: padId };
}

/**
 * The places of tokens, of shape [rows, length]; each row counts its own tokens, whether padding is on the left or on
 * the right.
 */
export function positionsOf({ rows, length, mask }: TokenBatch, scheme: PositionScheme): Int32Array {
  const positions = new Int32Array(mask.length).fill(scheme.padding);
  for (let row = 0; row < rows; row++) {
    let next = scheme.first;
    for (let i = row * length; i < (row + 1) * length; i++) if (mask[i] === 1) positions[i] = next++;
  }
  return positions;
}
