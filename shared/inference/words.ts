import type { Limits } from '../config.ts';
import { overLimit } from '../errors.ts';
import type { NamedTensors } from '../runtime/session.ts';

/**
 * A graph that cuts texts into words has a table of them, in which each text has as many places as the longest one. A
 * place takes 32 bytes. So a thousand texts of one word, and one text of a million words, would take 32 GB. There are no
 * more words than characters.
 */

/** Most places for characters of the texts that are run at once, if they can be run in parts: some 50 ms and 50 MB. */
const PLACES_AT_ONCE = 2 ** 20;

/** Most of them if they cannot. */
const MOST_PLACES = 2 ** 22;

/**
 * Where the rows start that are run at once.
 *
 * @param batched names of the feeds that have these rows
 * @param mostRows most rows that are run at once
 */
export function cutByWords(
  feeds: NamedTensors,
  batched: readonly string[],
  rows: number,
  mostRows: number,
): readonly number[] {
  const texts = textsOf(feeds, batched).map((list) => ({ list, width: list.length / rows }));
  const width = texts.reduce((sum, each) => sum + each.width, 0);
  const starts = [0];
  let start = 0;
  let longest = 0;
  for (let row = 0; row < rows; row++) {
    let own = 1;
    for (const { list, width } of texts) {
      for (let at = row * width; at < (row + 1) * width; at++) own = Math.max(own, list[at]?.length ?? 0);
    }
    longest = Math.max(longest, own);
    const count = row + 1 - start;
    if (count === 1 || (count <= mostRows && count * width * longest <= PLACES_AT_ONCE)) continue;
    starts.push(row);
    start = row;
    longest = own;
  }
  return starts;
}

/**
 * Checks texts that are run at once. A text alone is checked by `checkLongest`.
 *
 * @throws InferenceError PAYLOAD_TOO_LARGE when they take too many places
 */
export function checkWords(feeds: NamedTensors): void {
  for (const [name, { data }] of feeds) {
    if (!Array.isArray(data) || data.length === 1) continue;
    const longest = data.reduce((most, text) => Math.max(most, text.length), 0);
    if (data.length * longest <= MOST_PLACES) continue;
    throw overLimit(
      `Input "${name}"`,
      `has ${data.length} texts, and the longest has ${longest} characters. The graph of this model gives all texts the room of the longest, which is more than the limit of ${MOST_PLACES} characters; send fewer or shorter texts at once.`,
    );
  }
}

/**
 * Checks each text for a graph that cuts it into words.
 *
 * @throws InferenceError PAYLOAD_TOO_LARGE when one is longer than all texts of a request may be
 */
export function checkLongest(feeds: NamedTensors, { textCharacters }: Limits): void {
  for (const [name, { data }] of feeds) {
    if (!Array.isArray(data)) continue;
    const index = data.findIndex((text) => text.length > textCharacters);
    if (index === -1) continue;
    throw overLimit(
      `Element ${index} of input "${name}"`,
      `has ${data[index]?.length} characters; the limit is ${textCharacters} (MAX_TEXT_CHARACTERS) for texts that a graph cuts into words.`,
    );
  }
}

function textsOf(feeds: NamedTensors, names: readonly string[]): readonly (readonly string[])[] {
  return names.flatMap((name) => {
    const data = feeds.get(name)?.data;
    return Array.isArray(data) ? [data] : [];
  });
}
