import type { WritableJson } from '../json/write-json.ts';
import type { Serving } from '../models/serving.ts';
import { sharesOf } from './changes.ts';

/**
 * How the requests to a model are divided, for programs: shares and shadows are in percent by version or alias.
 *
 * @param live the version that answers the rest of the requests
 */
export function encodeServing(
  { traffic, aliases, archived }: Serving,
  live: string | undefined,
): Record<string, WritableJson> {
  const { key, ranges = [], rules = [], shadows = [] } = traffic ?? {};
  return {
    live: live ?? null,
    aliases,
    archived,
    split: Object.fromEntries(sharesOf({ ranges })),
    shadows: Object.fromEntries(shadows.map(({ target, percent }) => [target, percent])),
    rules: rules.map(({ when, target }) => ({ target, when: JSON.stringify(when) })),
    key: key === undefined ? null : Object.entries(key).map(([kind, name]) => `${kind}:${name}`)[0],
  };
}
