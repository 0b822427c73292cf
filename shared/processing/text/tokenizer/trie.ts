import { TokenizerError } from './parts.ts';

/**
 * The tokens of a vocabulary by their first characters. Nodes are stored in typed arrays by depth, with the children of
 * a node next to each other: a quarter of a million tokens take about 10 MB.
 */
export interface Trie {
  /** The UTF-16 unit that leads to each node. */
  readonly labels: Uint16Array;
  readonly firstChild: Int32Array;
  readonly childCount: Int32Array;
  /** The id of the token that ends at each node; -1 for none. */
  readonly ids: Int32Array;
}

export const ROOT = 0;
export const NOWHERE = -1;

interface Job {
  readonly low: number;
  readonly high: number;
  readonly depth: number;
}

/** At each place of a text at most this many characters are read. */
const LONGEST_TOKEN = 512;

/**
 * Makes a trie of tokens that are not empty; if two are equal, the last one counts.
 *
 * @throws TokenizerError when a token is so long that searching for it at each place of a text would take too long
 */
export function createTrie(tokens: Iterable<readonly [token: string, id: number]>): Trie {
  const entries = [...new Map(tokens)].sort(([a], [b]) => (a < b ? -1 : 1));
  const long = entries.find(([token]) => token.length > LONGEST_TOKEN)?.[0];
  if (long !== undefined) {
    const begin = JSON.stringify(long.slice(0, 40));
    throw new TokenizerError(
      `its tokenizer.json has a token of ${long.length} characters that begins with ${begin}; the limit is ${LONGEST_TOKEN}`,
    );
  }
  const nodes = { labels: [0], firstChild: [0], childCount: [0], ids: [-1] };
  const jobs: Job[] = [{ low: 0, high: entries.length, depth: 0 }];
  for (let node = 0; node < jobs.length; node++) {
    const { low, high, depth } = jobs[node] ?? { low: 0, high: 0, depth: 0 };
    let at = low;
    // In sorted order the token that ends here comes before longer ones.
    const [token, id] = entries[at] ?? ['', -1];
    if (at < high && token.length === depth) {
      nodes.ids[node] = id;
      at++;
    }
    nodes.firstChild[node] = nodes.labels.length;
    while (at < high) {
      const label = entries[at]?.[0].charCodeAt(depth) ?? 0;
      const start = at;
      while (at < high && entries[at]?.[0].charCodeAt(depth) === label) at++;
      nodes.labels.push(label);
      nodes.firstChild.push(0);
      nodes.childCount.push(0);
      nodes.ids.push(-1);
      jobs.push({ low: start, high: at, depth: depth + 1 });
    }
    nodes.childCount[node] = nodes.labels.length - (nodes.firstChild[node] ?? 0);
  }
  return {
    labels: Uint16Array.from(nodes.labels),
    firstChild: Int32Array.from(nodes.firstChild),
    childCount: Int32Array.from(nodes.childCount),
    ids: Int32Array.from(nodes.ids),
  };
}

/** The child of a node that a UTF-16 unit leads to, or `NOWHERE`. */
export function step({ labels, firstChild, childCount }: Trie, node: number, unit: number): number {
  let low = firstChild[node] ?? 0;
  let high = low + (childCount[node] ?? 0) - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const label = labels[middle] ?? 0;
    if (label === unit) return middle;
    if (label < unit) low = middle + 1;
    else high = middle - 1;
  }
  return NOWHERE;
}

/** The node that a text leads to from a node, or `NOWHERE`. */
export function walk(trie: Trie, from: number, text: string): number {
  let node = from;
  for (let i = 0; i < text.length && node !== NOWHERE; i++) node = step(trie, node, text.charCodeAt(i));
  return node;
}

/** The longest token that the text has at a place, continuing from a node; undefined if no token fits. */
export function longestMatch(
  trie: Trie,
  text: string,
  start: number,
  from: number = ROOT,
): { readonly id: number; readonly end: number } | undefined {
  let found: { id: number; end: number } | undefined;
  let node = from;
  for (let at = start; at < text.length; at++) {
    node = step(trie, node, text.charCodeAt(at));
    if (node === NOWHERE) break;
    const id = trie.ids[node] ?? -1;
    if (id !== -1) found = { id, end: at + 1 };
  }
  return found;
}
