import { SettingsError } from '../../processors/settings-error.ts';
import type { EntityKey, FeaturePlan, FeatureStore, StoredValue, WantedFeatures } from '../feature-store.ts';
import { readTemplate, requireAll } from '../key-template.ts';
import { readRow } from '../read-row.ts';
import { refuseUnknown, requireText, requireUrl } from '../settings.ts';
import { createRedisClient, type RedisClient } from './client.ts';
import type { RedisAddress } from './connection.ts';
import type { Reply } from './replies.ts';

/** The settings of `redis`. */
export interface RedisSettings {
  /**
   * `redis://USER:PASSWORD@HOST:PORT/DATABASE`, or `rediss://` with TLS. All but the host can be left out. It comes from
   * the environment, as it has a password.
   */
  readonly url: string | undefined;
  /**
   * The key of an entity, such as `customer:{id}`; `{name}` stands for the member of the entity of this name, and `{id}`
   * for the only one.
   */
  readonly key: string;
  /** What a key holds: a hash with a field for each feature, or a text with a JSON object. By default `hash`. */
  readonly format?: 'hash' | 'json';
}

const SUBJECT = 'The store "redis"';

/**
 * Features in Redis, Valkey or KeyDB, for `features`.
 *
 * @throws SettingsError
 */
export function redis(settings: RedisSettings): FeatureStore {
  refuseUnknown(SUBJECT, settings, ['url', 'key', 'format']);
  const address = readAddress(requireUrl(SUBJECT, settings.url, ['redis:', 'rediss:']));
  const key = requireText(SUBJECT, 'key', settings.key);
  const { format = 'hash' } = settings;
  if (format !== 'hash' && format !== 'json')
    throw new SettingsError(`${SUBJECT} needs "hash" or "json" as "format".`);
  const client = createRedisClient(address);
  const plan = format === 'hash' ? planHashes : planTexts;
  return {
    title: address.title,
    plan: (wanted) => {
      const template = readTemplate(key, wanted.entity);
      requireAll([template], wanted.entity);
      return {
        ...plan({ client, title: address.title, keyOf: template.fill, wanted }),
        check: template.check,
      };
    },
  };
}

function readAddress(url: URL): RedisAddress {
  const isEncrypted = url.protocol === 'rediss:';
  if (url.username !== '' && url.password === '')
    throw new SettingsError(
      `${SUBJECT} has a user in its "url", but no password; expected redis://USER:PASSWORD@HOST.`,
    );
  const port = url.port === '' ? 6379 : Number(url.port);
  const path = url.pathname.replace(/^\//, '');
  if (!/^\d{0,5}$/.test(path))
    throw new SettingsError(`${SUBJECT} needs a number after the host of its "url".`);
  return {
    title: `${url.protocol}//${url.hostname}:${port}`,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    isEncrypted,
    user: decode(url.username),
    password: decode(url.password),
    database: Number(path),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SettingsError(
      `${SUBJECT} has a % in the credentials of its "url" that must be written as %25.`,
    );
  }
}

interface Parts {
  readonly client: RedisClient;
  readonly title: string;
  readonly keyOf: (key: EntityKey) => string;
  readonly wanted: WantedFeatures;
}

function planHashes({ client, title, keyOf, wanted: { features } }: Parts): FeaturePlan {
  return {
    keepsTexts: true,
    read: async (keys, signal) => {
      const replies = await client.ask(
        keys.map((key) => ['HMGET', keyOf(key), ...features]),
        signal,
      );
      return replies.map((reply) => readRow(() => readFields(reply, title)));
    },
  };
}

function readFields(reply: Reply | Error, title: string): readonly StoredValue[] {
  if (reply instanceof Error) throw reply;
  if (!Array.isArray(reply)) throw new Error(`${title} replied to HMGET with something else than a list`);
  const fields: readonly unknown[] = reply;
  return fields.map((field) => {
    if (typeof field === 'string' || field === null) return field;
    throw new Error(`${title} replied to HMGET with something else than texts`);
  });
}

function planTexts({ client, title, keyOf, wanted: { features } }: Parts): FeaturePlan {
  return {
    keepsTexts: false,
    read: async (keys, signal) => {
      const replies = await client.ask(
        keys.map((key) => ['GET', keyOf(key)]),
        signal,
      );
      return replies.map((reply) =>
        readRow(() => {
          const members = readMembers(reply, title);
          return features.map((name) => members.get(name));
        }),
      );
    },
  };
}

function readMembers(reply: Reply | Error, title: string): ReadonlyMap<string, StoredValue> {
  if (reply instanceof Error) throw reply;
  if (reply === null) return new Map();
  try {
    const value: unknown = typeof reply === 'string' ? JSON.parse(reply) : undefined;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return new Map(Object.entries(value));
  } catch {
    // The message of the parser has parts of the text.
  }
  throw new Error(`${title} has a text that is not a JSON object`);
}
