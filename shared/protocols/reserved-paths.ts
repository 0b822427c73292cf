import type { Operation } from './protocol.ts';

/** A path with the methods that are refused on it. */
export interface ReservedPath {
  readonly path: string;
  /** Methods of operations on this very path. */
  readonly allowed: readonly string[];
  /** Methods that only an operation with a name in the place of the word would take. */
  readonly refused: readonly string[];
}

/**
 * The paths of operations that end in a word of their own, such as `/models/{model}/predict`, and that others take for
 * a name by other methods, such as `GET /models/{model}/{version}`: a client that errs in the method would be told of
 * a version it never asked for.
 */
export function findReservedPaths(operations: readonly Operation[]): readonly ReservedPath[] {
  // A verb behind a colon is taken for a name by none.
  const paths = new Set(operations.map(({ path }) => path).filter((path) => /\/\w+$/.test(path)));
  return [...paths].flatMap((path) => {
    const allowed = methodsOf(operations.filter((operation) => operation.path === path));
    if (allowed.has('ALL')) return [];
    const others = methodsOf(operations.filter((operation) => takesPath(operation, path)));
    const refused = [...others].filter((method) => method !== 'ALL' && !allowed.has(method));
    return refused.length > 0 ? [{ path, allowed: [...allowed], refused }] : [];
  });
}

function methodsOf(operations: readonly Operation[]): ReadonlySet<string> {
  return new Set(operations.map(({ method }) => method));
}

/** Whether an operation has the same parts as a path, with a name where that has a word. */
function takesPath(operation: Operation, path: string): boolean {
  const parts = path.split('/');
  const own = operation.path.split('/');
  return (
    operation.path !== path &&
    own.length === parts.length &&
    own.every((part, index) => part === parts[index] || /^\{\w+\}$/.test(part))
  );
}
