import type { InputKind } from '../../../shared/values/input.ts';
import type { InputRow } from './row-source.ts';

/**
 * The limits of a request apply to all images of a batch together, after they are decoded and resized. So batches of
 * images are small, and photos of a camera are run one by one: none has to be decoded again because of the others, and
 * few are in memory.
 */
const MOST_IMAGES = 32;
const MOST_IMAGE_BYTES = 1024 * 1024;

/**
 * Divides rows into batches that are run at once, in their order.
 *
 * @param size most rows of a batch; batches of images have fewer
 * @param kind what the model takes
 */
export async function* inBatches(
  rows: AsyncIterable<InputRow>,
  size: number,
  kind: InputKind,
): AsyncIterable<readonly InputRow[]> {
  const isImage = kind === 'image';
  const mostRows = isImage ? Math.min(size, MOST_IMAGES) : size;
  const mostBytes = isImage ? MOST_IMAGE_BYTES : Number.POSITIVE_INFINITY;
  let collected: InputRow[] = [];
  let collectedBytes = 0;
  for await (const row of rows) {
    const bytes = row.bytes ?? 0;
    if (collected.length >= mostRows || (collected.length > 0 && collectedBytes + bytes > mostBytes)) {
      yield collected;
      [collected, collectedBytes] = [[], 0];
    }
    collected.push(row);
    collectedBytes += bytes;
  }
  if (collected.length > 0) yield collected;
}
