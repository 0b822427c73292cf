import { expect, it } from 'vitest';
import {
  DECODER_POSITIONS,
  positionsOf,
  shiftedPositions,
} from '../../../../../shared/processing/text/embedding/positions.ts';

const mask = Int32Array.of(1, 1, 0, 0, 1, 1);
const batch = { rows: 2, length: 3, ids: mask, mask, typeIds: mask };

it('counts the tokens of each row, and gives padding a place of its own', () => {
  expect([...positionsOf(batch, DECODER_POSITIONS)]).toEqual([0, 1, 1, 1, 0, 1]);
  expect([...positionsOf(batch, shiftedPositions(1))]).toEqual([2, 3, 1, 1, 2, 3]);
});
