import type { JsonObject } from '../shared/json/parse-json.ts';

/**
 * A command for a shell that asks a model for a prediction.
 *
 * @param url of the server, without a slash at its end
 */
export function curlCommand(url: string, model: string, example: JsonObject): string {
  const body = JSON.stringify(example).replaceAll("'", "'\\''");
  return `curl -s ${url}/models/${model}/predict -H 'content-type: application/json' -d '${body}'`;
}
