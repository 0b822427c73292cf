import { METHOD_NAME_ALL, type Result, type Router } from 'hono/router';
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
  readonly #methods = new Set<string>();
  readonly #matches = memoizeBy(
    ({ method, path }: Asked) => `${method} ${path}`,
    ({ method, path }) => firstOf(this.#routes.match(this.#known(method), path)),
  );

  /** All routes are added before the first request. */
  add(method: string, path: string, handler: T): void {
    this.#methods.add(method);
    this.#routes.add(method, path, handler);
  }

  match(method: string, path: string): Result<T> {
    return this.#matches({ method, path });
  }

  /**
   * Hono looks a method up as a member of an object, and writes to what it finds: with the method `__proto__` that is the
   * prototype of all objects. Only methods of routes may reach it. All others find the routes of every method.
   */
  #known(method: string): string {
    return this.#methods.has(method) ? method : METHOD_NAME_ALL;
  }
}

function firstOf<T>(result: Result<T>): Result<T> {
  // One form has the values of parameters in a second list, to which the handlers refer.
  if (result.length === 2) return [result[0].slice(0, 1), result[1]];
  return [result[0].slice(0, 1)];
}
