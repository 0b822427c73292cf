import type { Budget } from '../../budget.ts';
import type { JsonValue } from '../../json/json-value.ts';
import { parseJson } from '../../json/parse-json.ts';

/**
 * JSON of a request, which its budget pays for.
 *
 * @param what the part of the request that it is, to begin a sentence
 * @throws InferenceError as `parseJson` does, and for more values than the request may have
 */
export function parseRequestJson(bytes: Uint8Array, budget: Budget, what = 'The JSON body'): JsonValue {
  return parseJson(bytes, budget.limits.jsonDepth, (values) => budget.spend('values', values, what));
}
