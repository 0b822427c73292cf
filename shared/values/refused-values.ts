import type { JsonValue } from '../json/json-value.ts';

/**
 * The values of one input of a graph that no tensor could be made of, by its name, and by the error that says so. An
 * error does not hold them itself: it may be kept for the log, and they may not.
 */
export const REFUSED_VALUES = new WeakMap<object, Readonly<Record<string, JsonValue>>>();
