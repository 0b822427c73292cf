import type { JsonValue } from './json-value.ts';

/** How lists are nested, by the first item of each. */
export interface Nesting {
  /** Length of the list on each level; empty for a value that is not a list. */
  readonly shape: readonly number[];
  /** The first value that is not a list; undefined if a list is empty. */
  readonly leaf: JsonValue | undefined;
}

/** Follows the first items of nested lists. The shapes of the other lists are not checked. */
export function measureNesting(value: JsonValue | readonly JsonValue[] | undefined): Nesting {
  const shape: number[] = [];
  let level = value;
  for (; isList(level); level = level[0]) shape.push(level.length);
  return { shape, leaf: level };
}

/** `Array.isArray` does not narrow a readonly list. */
function isList(value: JsonValue | readonly JsonValue[] | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
