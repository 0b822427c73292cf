import type { Result, Router } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';

/** How many matches are kept, and the longest path of one: clients choose paths. */
const MOST_KEPT = 512;
const LONGEST_KEPT = 200;

/**
 * A router that returns only the first handler of a route, because no handler here passes a request on to the next one.
 * Clients send most requests to few paths, so the latest matches are kept: a search of the tree takes longer than the
 * rest of the routing.
 */
export class FirstMatchRouter<T> implements Router<T> {
  readonly name = 'FirstMatchRouter';
  readonly #routes = new TrieRouter<T>();
  #kept = new Map<string, Result<T>>();

  add(method: string, path: string, handler: T): void {
    this.#routes.add(method, path, handler);
    this.#kept.clear();
  }

  match(method: string, path: string): Result<T> {
    const key = `${method} ${path}`;
    const known = this.#kept.get(key);
    if (known) return known;
    const found = firstOf(this.#routes.match(method, path));
    // All at once: it happens only where someone looks for paths that do not exist.
    if (this.#kept.size >= MOST_KEPT) this.#kept = new Map();
    if (path.length <= LONGEST_KEPT) this.#kept.set(key, found);
    return found;
  }
}

function firstOf<T>(result: Result<T>): Result<T> {
  // One form has the values of parameters in a second list, to which the handlers refer.
  if (result.length === 2) return [result[0].slice(0, 1), result[1]];
  return [result[0].slice(0, 1)];
}
