import type { Context } from 'hono';
import { InferenceError, invalid } from '../../errors.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { readBody } from '../../http/read-body.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import { parseRequestJson } from '../../json/request-json.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { NotedChange } from '../../registry/history.ts';
import type { Tags } from '../../registry/models.ts';
import { checkTagKey, checkTagValue } from '../../registry/names.ts';
import type { RegisteredModel, RegisteredVersion } from '../../registry/registered.ts';
import { latestVersions, stageOf } from '../../registry/versions.ts';

/** The parameters of a call, from its query or its JSON. */
export interface Fields {
  /** @throws InferenceError INVALID_PARAMETER_VALUE when it is missing, empty or not a text */
  text(name: string): string;
  /** @throws InferenceError INVALID_PARAMETER_VALUE when it is not a text */
  optional(name: string): string | undefined;
  texts(name: string): readonly string[];
  flag(name: string): boolean;
  /** A whole number of at least 0. */
  count(name: string): number | undefined;
  tags(): Tags;
}

/**
 * The parameters of a call: those of GET are in the query, all others in the body. Some proxies drop the body of DELETE,
 * so that the query also counts if there is none.
 *
 * @throws InferenceError
 */
export async function readFields(c: Context<AppEnvironment>): Promise<Fields> {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
    const body = await readBody(c.req.raw, c.env.budget.limits, c.env.body);
    if (body.length > 0) return fieldsOf(parseRequestJson(body, c.env.budget));
  }
  const query = Object.entries(c.req.queries());
  return fieldsOf(
    Object.fromEntries(
      query.map(([name, [first = '', ...more]]) => [name, more.length ? [first, ...more] : first]),
    ),
  );
}

function fieldsOf(json: JsonValue): Fields {
  if (!isJsonObject(json))
    throw new InferenceError('BAD_REQUEST', [
      'The JSON body',
      `is ${describeJson(json)}; expected an object.`,
    ]);
  const read = (name: string): JsonValue | undefined => {
    const value = Object.hasOwn(json, name) ? json[name] : undefined;
    return value === null ? undefined : value;
  };
  const optional = (name: string): string | undefined => {
    const value = read(name);
    if (value === undefined || typeof value === 'string') return value;
    throw wrong(name, value, 'a text');
  };
  const list = (name: string): readonly JsonValue[] => {
    const value = read(name) ?? [];
    return Array.isArray(value) ? value : [value];
  };
  return {
    optional,
    text: (name) => {
      const value = optional(name);
      if (value === undefined || value === '') throw invalid(`Parameter "${name}"`, 'is missing or empty.');
      return value;
    },
    texts: (name) =>
      list(name).map((value) => {
        if (typeof value === 'string') return value;
        throw wrong(name, value, 'a list of texts');
      }),
    flag: (name) => {
      const value = read(name) ?? false;
      if (typeof value === 'boolean') return value;
      if (value === 'true' || value === 'false') return value === 'true';
      throw wrong(name, value, 'true or false');
    },
    count: (name) => {
      const value = read(name);
      if (value === undefined || value === '') return undefined;
      if (/^\d{1,9}$/.test(String(value))) return Number(value);
      throw wrong(name, value, 'a whole number');
    },
    tags: () => Object.fromEntries(list('tags').map(readTag)),
  };
}

function readTag(value: JsonValue): readonly [string, string] {
  const { key, value: text = '' }: JsonObject = isJsonObject(value) ? value : {};
  if (typeof key !== 'string' || typeof text !== 'string')
    throw wrong('tags', value, 'objects with the texts "key" and "value"');
  return [checkTagKey(key), checkTagValue(text)];
}

function wrong(name: string, value: JsonValue, expected: string): InferenceError {
  return invalid(`Parameter "${name}"`, `has ${describeJson(value)}; expected ${expected}.`);
}

/** A registered model in the form of MLflow's `RegisteredModel`. */
export function encodeModel(model: RegisteredModel, storeUrl: string): WritableJson {
  const { name, current } = model;
  const { card, serving } = current;
  return {
    name,
    creation_timestamp: card.createdMs ?? 0,
    last_updated_timestamp: card.updatedMs ?? card.createdMs ?? 0,
    description: card.description,
    latest_versions: unlessEmpty(
      latestVersions(model).map((version) => encodeVersion(model, version, storeUrl)),
    ),
    tags: encodeTags(card.tags),
    aliases: unlessEmpty(Object.entries(serving.aliases).map(([alias, version]) => ({ alias, version }))),
  };
}

/** A version in the form of MLflow's `ModelVersion`. */
export function encodeVersion(
  model: RegisteredModel,
  found: RegisteredVersion,
  storeUrl: string,
): WritableJson {
  const { version, card, status, statusMessage, aliases } = found;
  return {
    name: model.name,
    version,
    creation_timestamp: card.createdMs ?? 0,
    last_updated_timestamp: card.updatedMs ?? card.createdMs ?? 0,
    current_stage: stageOf(found),
    description: card.description ?? '',
    source: card.source ?? placeOf(model, version, storeUrl),
    run_id: card.runId ?? '',
    run_link: card.runLink ?? '',
    model_id: card.modelId,
    status,
    status_message: statusMessage,
    tags: encodeTags(card.tags),
    aliases: unlessEmpty(aliases),
  };
}

/** Where the files of a version are. */
export function placeOf({ folder }: RegisteredModel, version: string, storeUrl: string): string {
  return `${storeUrl}/${folder}/${version}`;
}

/** A change in the history of a model. */
export function encodeChange({ release, heldBack }: NotedChange): WritableJson {
  const { revision, at, by, why, action, serving } = release;
  const { live, aliases, archived } = serving;
  const held = heldBack.map(({ version, at: heldAt, instance, reason }) => ({
    version,
    timestamp: Date.parse(heldAt),
    instance,
    reason,
  }));
  return {
    revision,
    timestamp: Date.parse(at),
    by,
    why,
    action,
    live,
    aliases,
    archived,
    held_back: unlessEmpty(held),
  };
}

/** MLflow leaves out what is empty. */
function unlessEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length > 0 ? items : undefined;
}

function encodeTags(tags: Tags): WritableJson {
  return unlessEmpty(Object.entries(tags).map(([key, value]) => ({ key, value })));
}
