import { createTrie, NOWHERE, ROOT, step, type Trie } from './trie.ts';

/**
 * Finds tokens in texts, in steps that grow with the text and with what is found, and not with the length of tokens
 * that almost occur.
 *
 * Source: Aho and Corasick, "Efficient string matching" (1975), held to the leftmost longest occurrences.
 */
export interface TokenSearch {
  readonly trie: Trie;
  /** For each node the longest end of its characters that is the beginning of a token too. */
  readonly suffixes: Int32Array;
  /** The number of characters that lead to each node. */
  readonly depths: Int32Array;
  /** The node of the longest token that ends with the characters of each node; `NOWHERE` for none. */
  readonly tokens: Int32Array;
}

export interface Occurrence {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** How many characters are read between two pauses. */
const CHARACTERS_OF_TURN = 1024;

/**
 * Prepares the search for tokens that are not empty; if two are equal, the last one counts.
 *
 * @throws TokenizerError when a token is too long
 */
export function createTokenSearch(contents: Iterable<readonly [token: string, id: number]>): TokenSearch {
  const trie = createTrie(contents);
  const { labels, firstChild, childCount, ids } = trie;
  const suffixes = new Int32Array(ids.length);
  const depths = new Int32Array(ids.length);
  const tokens = new Int32Array(ids.length).fill(NOWHERE);
  // Nodes are in the order of their depth, so those that are shorter are finished.
  for (let node = 0; node < ids.length; node++) {
    const first = firstChild[node] ?? 0;
    for (let child = first; child < first + (childCount[node] ?? 0); child++) {
      const suffix =
        node === ROOT ? ROOT : follow(trie, suffixes, suffixes[node] ?? ROOT, labels[child] ?? 0);
      suffixes[child] = suffix;
      depths[child] = (depths[node] ?? 0) + 1;
      tokens[child] = ids[child] === -1 ? (tokens[suffix] ?? NOWHERE) : child;
    }
  }
  return { trie, suffixes, depths, tokens };
}

/**
 * The leftmost occurrence of a token, of those that begin there the longest, and from its end on the next one; undefined
 * if the work can pause.
 */
export function* occurrences(search: TokenSearch, text: string): Generator<Occurrence | undefined> {
  const { trie, suffixes, depths, tokens } = search;
  let node = ROOT;
  let found: Occurrence | undefined;
  let turn = 0;
  // After the last character nothing can continue.
  for (let at = 0; at <= text.length; at++) {
    if (++turn % CHARACTERS_OF_TURN === 0) yield;
    node = at < text.length ? follow(trie, suffixes, node, text.charCodeAt(at)) : ROOT;
    const end = at + 1;
    if (found && end - (depths[node] ?? 0) > found.start) {
      // What could still become a token begins later.
      yield found;
      at = found.end - 1;
      node = ROOT;
      found = undefined;
      continue;
    }
    const token = tokens[node] ?? NOWHERE;
    if (token === NOWHERE) continue;
    const start = end - (depths[token] ?? 0);
    if (!found || start <= found.start) found = { id: trie.ids[token] ?? -1, start, end };
  }
}

/** The node of the longest beginning of a token that ends with a UTF-16 unit after the characters of a node. */
function follow(trie: Trie, suffixes: Int32Array, from: number, unit: number): number {
  for (let node = from; ; node = suffixes[node] ?? ROOT) {
    const next = step(trie, node, unit);
    if (next !== NOWHERE) return next;
    if (node === ROOT) return ROOT;
  }
}
