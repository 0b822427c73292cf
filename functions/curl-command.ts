import type { JsonObject } from '../shared/json/json-value.ts';
import { shellWord } from './shell-word.ts';

/**
 * A shell command that asks a model for a prediction.
 *
 * @param url of the server, without a trailing slash
 */
export function curlCommand(url: string, model: string, example: JsonObject): string {
  const path = shellWord(`${url}/models/${model}/predict`);
  return `curl -s ${path} -H 'content-type: application/json' -d ${shellWord(JSON.stringify(example))}`;
}
