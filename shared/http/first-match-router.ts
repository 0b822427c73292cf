import type { Result, Router } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';
import { memoizeBy } from '../memo.ts';

/** What a route is looked up by. */
interface Asked {
  readonly method: string;
  readonly path: string;
}

/**
 * A router that returns only the first handler of a route, because no handler here passes a request on to the next one.
 * It keeps the latest matches: a search of the tree takes longer than the rest of the routing. There is one memo for all
 * methods, because each path that it keeps also keeps the URL that it was cut from.
 */
export class FirstMatchRouter<T> implements Router<T> {
  readonly name = 'FirstMatchRouter';
  readonly #routes = new TrieRouter<T>();
  readonly #matches = memoizeBy(
    ({ method, path }: Asked) => `${method} ${path}`,
    ({ method, path }) => firstOf(this.#routes.match(method, path)),
  );

  /** All routes are added before the first request. */
  add(method: string, path: string, handler: T): void {
    this.#routes.add(method, path, handler);
  }

  match(method: string, path: string): Result<T> {
    return this.#matches({ method, path });
  }
}

function firstOf<T>(result: Result<T>): Result<T> {
  // One form has the values of parameters in a second list, to which the handlers refer.
  if (result.length === 2) return [result[0].slice(0, 1), result[1]];
  return [result[0].slice(0, 1)];
}
