import type { Kernels } from './kernels.ts';

/** Some target rows and the source rows that they are made from; the ends are exclusive. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly firstRow: number;
  readonly endRow: number;
}

/**
 * Splits the target rows so that the source rows of each chunk, already narrow but not yet low, take little memory: an
 * image of one pixel's width can have a million rows. Rows at the borders of chunks are made twice; they are at most a
 * quarter of all.
 *
 * @param rowBytes of a source row made narrow
 */
export function chunkRows(vertical: Kernels, rowBytes: number): Chunk[] {
  const { starts, lengths } = vertical;
  const startOf = (row: number) => starts[row] ?? 0;
  const endOf = (row: number) => startOf(row) + (lengths[row] ?? 0);
  const mostRows = Math.max(4 * vertical.stride, Math.floor(CHUNK_BYTES / rowBytes));
  const chunks: Chunk[] = [];
  for (let from = 0; from < starts.length; from = chunks.at(-1)?.to ?? starts.length) {
    let to = from + 1;
    while (to < starts.length && endOf(to) - startOf(from) <= mostRows) to++;
    chunks.push({ from, to, firstRow: startOf(from), endRow: endOf(to - 1) });
  }
  return chunks;
}

const CHUNK_BYTES = 4_194_304;
