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
  return Object.fromEntries(Object.entries(all).filter(([, value]) => !isEmpty(value)));
}

/** What says nothing is left out. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === false || (Array.isArray(value) && value.length === 0);
}
