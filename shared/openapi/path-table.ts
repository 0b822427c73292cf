import type { Json } from './openapi.ts';

/** The paths of a document. */
export interface PathTable {
  /**
   * Adds an operation, unless its path already has one with this method: the first one is the one that answers.
   *
   * @param describe makes the operation for the path as written in the document
   */
  add(method: string, path: string, describe: (path: string) => Promise<Json>): Promise<void>;
  write(): ReadonlyMap<string, Json>;
}

/** Two paths that differ only in the names of their parameters are the same; the first decides the names. */
export function createPathTable(): PathTable {
  const paths = new Map<string, { readonly path: string; readonly methods: Map<string, Json> }>();
  return {
    add: async (method, path, describe) => {
      const key = path.replaceAll(/\{\w+\}/g, '{}');
      const entry = paths.get(key) ?? { path, methods: new Map() };
      paths.set(key, entry);
      const name = method.toLowerCase();
      if (!entry.methods.has(name)) entry.methods.set(name, await describe(entry.path));
    },
    write: () => new Map([...paths.values()].map(({ path, methods }) => [path, Object.fromEntries(methods)])),
  };
}
