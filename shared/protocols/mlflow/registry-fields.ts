import type { Context } from 'hono';
import { InferenceError, invalid } from '../../errors.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { readBody } from '../../http/read-body.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import { parseRequestJson } from '../../json/request-json.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { Tags } from '../../registry/models.ts';
import { checkTagKey, checkTagValue } from '../../registry/names.ts';
import type { RegisteredModel, RegisteredVersion } from '../../registry/registered.ts';
import type { Caller, Registry } from '../../registry/registry.ts';
import type { NotedChange } from '../../registry/releases.ts';
import { latestVersions, stageOf } from '../../registry/versions.ts';
import { encodeServing } from '../../releases/encode-serving.ts';

/** Answers one call of the registry. */
export type Call = (registry: Registry, fields: Fields, caller: Caller) => Promise<WritableJson>;

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
  /** Shares in percent by name; at least one. */
  shares(name: string): ReadonlyMap<string, number>;
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
    shares: (name) => {
      const value = read(name);
      const members = isJsonObject(value) ? Object.entries(value) : [];
      if (members.length === 0)
        throw wrong(name, value, 'an object with a share in percent by version or alias');
      return new Map(members.map(([target, percent]) => [target, readPercent(`${name}.${target}`, percent)]));
    },
    tags: () => Object.fromEntries(list('tags').map(readTag)),
  };
}

function readPercent(name: string, value: JsonValue): number {
  if (typeof value === 'number' && value >= 0 && value <= 100) return value;
  throw wrong(name.slice(0, 100), value, 'a number from 0 to 100');
}

function readTag(value: JsonValue): readonly [string, string] {
  const { key, value: text = '' }: JsonObject = isJsonObject(value) ? value : {};
  if (typeof key !== 'string' || typeof text !== 'string')
    throw wrong('tags', value, 'objects with the texts "key" and "value"');
  return [checkTagKey(key), checkTagValue(text)];
}

function wrong(name: string, value: JsonValue | undefined, expected: string): InferenceError {
  return invalid(`Parameter "${name}"`, `has ${describeJson(value)}; expected ${expected}.`);
}

/** The answer of a call that changes a model. */
export function answerModel({ store }: Registry, model: RegisteredModel): WritableJson {
  return { registered_model: encodeModel(model, store.url) };
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
    ...encodeServing(serving, serving.live),
    held_back: unlessEmpty(held),
  };
}

/** How many items of a list are wanted. */
export function pageSize(fields: Fields, fallback: number, most: number): number {
  const count = fields.count('max_results') ?? fallback;
  if (count >= 1 && count <= most) return count;
  throw invalid('Parameter "max_results"', `is ${count}; expected a whole number from 1 to ${most}.`);
}

/** MLflow leaves out what is empty. */
function unlessEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length > 0 ? items : undefined;
}

function encodeTags(tags: Tags): WritableJson {
  return unlessEmpty(Object.entries(tags).map(([key, value]) => ({ key, value })));
}
