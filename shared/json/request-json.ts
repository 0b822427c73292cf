import type { Budget } from '../budget.ts';
import type { JsonValue } from './json-value.ts';
import { countElements, parseJson } from './parse-json.ts';

/**
 * Parses JSON of a request and charges its budget for it.
 *
 * @param options.what name of this part of the request, to begin a sentence
 * @param options.isLine whether it is one line of many, which are not all in memory at once
 * @param options.isPart whether the request has more parts like it
 * @throws InferenceError as `parseJson` does, and for more values or numbers than the request may have
 */
export function parseRequestJson(
  bytes: Uint8Array,
  budget: Budget,
  { what = 'The JSON body', isLine = false, isPart = false } = {},
): JsonValue {
  // A comma follows each number except the last, so fewer bytes cannot hold too many numbers.
  if (isPart || bytes.length > 2 * budget.left('jsonNumbers')) {
    budget.spend('jsonNumbers', countElements(bytes), what);
  }
  const spend = (values: number) => budget.spend('values', values, what);
  return parseJson(bytes, budget.limits.jsonDepth, { spend, isLine });
}
