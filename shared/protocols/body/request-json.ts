import type { Budget } from '../../budget.ts';
import type { JsonValue } from '../../json/json-value.ts';
import { countElements, parseJson } from '../../json/parse-json.ts';

/**
 * JSON of a request, which its budget pays for.
 *
 * @param options.what the part of the request that it is, to begin a sentence
 * @param options.isLine whether it is one line of many, which are not all in memory at once
 * @param options.isPart whether the request has others like it
 * @throws InferenceError as `parseJson` does, and for more values or numbers than the request may have
 */
export function parseRequestJson(
  bytes: Uint8Array,
  budget: Budget,
  { what = 'The JSON body', isLine = false, isPart = false } = {},
): JsonValue {
  // A comma follows each number but the last, so that fewer bytes cannot hold too many.
  if (isPart || bytes.length > 2 * budget.left('jsonNumbers')) {
    budget.spend('jsonNumbers', countElements(bytes), what);
  }
  const spend = (values: number) => budget.spend('values', values, what);
  return parseJson(bytes, budget.limits.jsonDepth, { spend, isLine });
}
