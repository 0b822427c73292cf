import type { Kernels } from './kernels.ts';

/** Some target rows and the source rows they are made of; the ends do not belong to them. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly firstRow: number;
  readonly endRow: number;
}

/**
 * Splits the target rows so that the source rows of each chunk, made narrow but not yet low, take little memory: an
 * image of one pixel's width can have a million rows. Rows at a border are made twice, which is at most a quarter.
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
