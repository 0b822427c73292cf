import type { Model } from '../../shared/inference/load-model.ts';
import type { WritableJson } from '../../shared/json/write-json.ts';

type Members = { readonly [member: string]: WritableJson };

/**
 * The model.json a model amounts to: what its folder and its graph say, in the words of the config. Labels are part of
 * it wherever they come from, as a rewritten graph no longer has them.
 */
export function describeConfig({ config, task }: Model): Members {
  const { task: name, ...members } = config;
  const features = task.features?.named?.map((feature) => ({ ...feature }));
  const all = {
    task: name,
    ...members,
    ...(task.labels && { labels: task.labels }),
    ...(features && { features }),
  };
  return Object.fromEntries(Object.entries(all).filter(([member, value]) => !isDefault(member, value)));
}

/** Members with a default, and that as JSON: said or not, it means the same. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['postprocess', '[]'],
  ['normalize', 'false'],
]);

function isDefault(member: string, value: unknown): boolean {
  return value === undefined || JSON.stringify(value) === DEFAULTS.get(member);
}
