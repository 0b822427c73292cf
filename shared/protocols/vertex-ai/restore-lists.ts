import { isJsonObject, type JsonValue } from '../../json/json-value.ts';

/**
 * Mends what Google's generated clients for Node make of lists in lists when they speak REST: `{"0": 5.1, "1": 3.5}`.
 * Bodies of all others are handed back as they are.
 * Source: deepCopyWithoutMatchedFields in google-gax, transcoding.ts.
 */
export function restoreLists(json: JsonValue, headers: Headers): JsonValue {
  const client = headers.get('x-goog-api-client') ?? '';
  return client.includes('gl-node/') && client.includes('rest/') ? restore(json) : json;
}

function restore(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(restore);
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value);
  const isList = keys.length > 0 && keys.every((key, index) => key === String(index));
  const members = Object.entries(value).map(([key, member]): [string, JsonValue] => [key, restore(member)]);
  return isList ? members.map(([, member]) => member) : Object.fromEntries(members);
}
