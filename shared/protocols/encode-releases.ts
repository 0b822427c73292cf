import type { Budget } from '../budget.ts';
import type { WritableJson } from '../json/write-json.ts';
import type { Serving } from '../models/serving.ts';
import { namesIn } from '../releases/conditions.ts';
import { encodeServing } from '../releases/encode-serving.ts';
import type { ProtocolOptions } from './operation.ts';

/**
 * What is served of a model, for everybody. Who changed it and why is in the history, and so are the values of
 * conditions, which can be names of people: both need the key of the registry.
 *
 * @throws InferenceError RESOURCE_DOES_NOT_EXIST, MODEL_UNAVAILABLE; StoreError
 */
export async function encodeReleases(
  name: string,
  { inference, config, registry }: ProtocolOptions,
  budget: Budget,
): Promise<WritableJson> {
  const { repository } = inference;
  const live = await repository.resolve(name, undefined, budget);
  const [listing, aliases] = await Promise.all([
    repository.versions(name, budget),
    repository.aliases(name, budget),
  ]);
  const serving: Serving = {
    ...(listing?.serving ?? { archived: [] }),
    aliases: Object.fromEntries(aliases),
  };
  const { split, shadows, key, archived } = encodeServing(serving, live.version);
  return {
    name,
    live_version: live.version,
    versions: listing?.versions ?? [live.version],
    aliases: serving.aliases,
    split,
    shadows,
    rules: (serving.traffic?.rules ?? []).map(({ target, when }) => ({ target, reads: namesIn(when) })),
    key,
    archived,
    warm: serving.warm ?? null,
    held_back: inference.heldBack(name),
    registry: registry !== undefined && config.adminKey !== undefined && config.protocols.includes('mlflow'),
  };
}
