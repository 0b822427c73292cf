import { describe, expect, it } from 'vitest';
import { inBatches } from '../../../../functions/cli/batch/in-batches.ts';
import type { InputRow } from '../../../../functions/cli/batch/row-source.ts';
import type { InputKind } from '../../../../shared/values/input.ts';

/** Numbers of the rows of each batch, by the kilobytes of each row. */
async function batchesOf(kilobytes: readonly number[], size: number, kind: InputKind) {
  async function* rows(): AsyncIterable<InputRow> {
    for (const [index, each] of kilobytes.entries())
      yield { row: index + 1, bytes: each * 1024, value: null };
  }
  const batches: number[][] = [];
  for await (const batch of inBatches(rows(), size, kind)) batches.push(batch.map(({ row }) => row));
  return batches;
}

describe('the batches of an input', () => {
  it('have the requested number of rows, the last one the rest', async () => {
    expect(await batchesOf([1, 1, 1, 1, 1], 2, 'image')).toEqual([[1, 2], [3, 4], [5]]);
    expect(await batchesOf([], 2, 'image')).toEqual([]);
  });

  it('have fewer images if these are large, and a photo alone', async () => {
    expect(await batchesOf([4000, 4000, 300, 300, 424, 1, 5000, 1], 256, 'image')).toEqual([
      [1],
      [2],
      [3, 4, 5],
      [6],
      [7],
      [8],
    ]);
  });

  it('have few images, even small ones, but any number of other rows', async () => {
    const small = Array.from({ length: 70 }, () => 1);
    expect((await batchesOf(small, 256, 'image')).map(({ length }) => length)).toEqual([32, 32, 6]);
    expect((await batchesOf(small, 256, 'features')).map(({ length }) => length)).toEqual([70]);
  });

  it('have the requested number of rows of numbers and texts, even long ones', async () => {
    expect(await batchesOf([4000, 4000, 4000], 2, 'text')).toEqual([[1, 2], [3]]);
  });
});
