import type { InputKind } from '../../../shared/values/input.ts';
import type { InputRow } from './row-source.ts';

/**
 * The limits of a request hold for all images of a batch together, after they are decoded and resized. So batches of
 * them are small, and photos of a camera go one by one: none is decoded again for the others, and memory holds few.
 */
const MOST_IMAGES = 32;
const MOST_IMAGE_BYTES = 1024 * 1024;

/**
 * Rows in batches that are run at once, in their order.
 *
 * @param size most rows of a batch; of images there are fewer
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
