import type { Model } from '../../shared/inference/load-model.ts';
import { isJsonObject, type JsonObject } from '../../shared/json/json-value.ts';
import { parseJson } from '../../shared/json/parse-json.ts';
import { JSON_DEPTH } from './words.ts';

/**
 * The model.json that is equivalent to what a model's folder and graph say. It always has the labels, wherever they
 * come from, because a rewritten graph no longer has them.
 */
export function describeConfig({ config, task }: Model): JsonObject {
  const { task: name, ...members } = config;
  const features = task.preprocessor?.features?.named?.map((feature) => ({ ...feature }));
  const all = {
    task: name,
    ...members,
    // If not even their number is known, the list is empty.
    ...(task.labels && task.labels.length > 0 && { labels: task.labels }),
    ...(features && { features }),
  };
  const said = Object.entries(all).filter(([member, value]) => !isDefault(member, value));
  const written = parseJson(Buffer.from(JSON.stringify(Object.fromEntries(said))), JSON_DEPTH);
  if (!isJsonObject(written)) throw new Error('a config is an object');
  return written;
}

/** Members with their default as JSON: a config with the default means the same as one without it. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['postprocess', '[]'],
  ['normalize', 'false'],
]);

function isDefault(member: string, value: unknown): boolean {
  return value === undefined || JSON.stringify(value) === DEFAULTS.get(member);
}
