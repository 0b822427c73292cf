import type { Budget } from '../../budget.ts';
import type { JsonValue } from '../../json/json-value.ts';
import { parseJson } from '../../json/parse-json.ts';

/**
 * JSON of a request, which its budget pays for.
 *
 * @param options.what the part of the request that it is, to begin a sentence
 * @param options.isLine whether it is one line of many
 * @throws InferenceError as `parseJson` does, and for more values than the request may have
 */
export function parseRequestJson(
  bytes: Uint8Array,
  budget: Budget,
  { what = 'The JSON body', isLine = false } = {},
): JsonValue {
  const spend = (values: number) => budget.spend('values', values, what);
  return parseJson(bytes, budget.limits.jsonDepth, { spend, isLine });
}
