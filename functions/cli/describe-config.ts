import type { Model } from '../../shared/inference/load-model.ts';
import { isJsonObject, type JsonObject } from '../../shared/json/json-value.ts';
import { parseJson } from '../../shared/json/parse-json.ts';
import { JSON_DEPTH } from './words.ts';

/**
 * The model.json a model amounts to: what its folder and its graph say, in the words of the config. Labels are part of
 * it wherever they come from, as a rewritten graph no longer has them.
 */
export function describeConfig({ config, task }: Model): JsonObject {
  const { task: name, ...members } = config;
  const features = task.preprocessor?.features?.named?.map((feature) => ({ ...feature }));
  const all = {
    task: name,
    ...members,
    // Where not even their number is known there are none.
    ...(task.labels && task.labels.length > 0 && { labels: task.labels }),
    ...(features && { features }),
  };
  const said = Object.entries(all).filter(([member, value]) => !isDefault(member, value));
  const written = parseJson(Buffer.from(JSON.stringify(Object.fromEntries(said))), JSON_DEPTH);
  if (!isJsonObject(written)) throw new Error('a config is an object');
  return written;
}

/** Members with a default, and that as JSON: said or not, it means the same. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['postprocess', '[]'],
  ['normalize', 'false'],
]);

function isDefault(member: string, value: unknown): boolean {
  return value === undefined || JSON.stringify(value) === DEFAULTS.get(member);
}
