import type { Json } from './openapi.ts';

/** The paths of a document. */
export interface PathTable {
  /**
   * Takes up an operation, unless its path has one of that method already: the first is the one that answers.
   *
   * @param describe makes the operation for the path as it stands in the document
   */
  add(method: string, path: string, describe: (path: string) => Json): void;
  write(): ReadonlyMap<string, Json>;
}

/** Two paths that differ in nothing but the names of their parameters are one, and the first gives the names. */
export function createPathTable(): PathTable {
  const paths = new Map<string, { readonly path: string; readonly methods: Map<string, Json> }>();
  return {
    add: (method, path, describe) => {
      const key = path.replaceAll(/\{\w+\}/g, '{}');
      const entry = paths.get(key) ?? { path, methods: new Map() };
      paths.set(key, entry);
      const name = method.toLowerCase();
      if (!entry.methods.has(name)) entry.methods.set(name, describe(entry.path));
    },
    write: () => new Map([...paths.values()].map(({ path, methods }) => [path, Object.fromEntries(methods)])),
  };
}
