import { createHttpClient, type HttpAnswer } from '../http/http-client.ts';
import { unavailable } from '../processors/processor.ts';
import { SettingsError } from '../processors/settings-error.ts';
import type { EntityKey, FeatureStore, StoredValue, WantedFeatures } from './feature-store.ts';
import { refuseUnknown, requireUrl } from './settings.ts';

/** The settings of `feast`. */
export interface FeastSettings {
  /** The address of a feature server, which `feast serve` starts, such as `http://features:6566`. */
  readonly url: string | undefined;
  /** The feature view of features that are named without one. */
  readonly view?: string;
  /** A feature service; then features are named without their views. */
  readonly service?: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined;
}

const SUBJECT = 'The store "feast"';

/**
 * Features from the HTTP feature server of Feast, for `features`.
 *
 * @throws SettingsError
 */
export function feast(settings: FeastSettings): FeatureStore {
  refuseUnknown(SUBJECT, settings, ['url', 'view', 'service', 'token']);
  const base = requireUrl(SUBJECT, settings.url, ['http:', 'https:']);
  const { view, service, token } = settings;
  if (base.username !== '' || base.password !== '')
    throw new SettingsError(`${SUBJECT} cannot have credentials in its "url"; it has "token".`);
  if (view !== undefined && service !== undefined)
    throw new SettingsError(`${SUBJECT} has "view" and "service"; expected one of them.`);
  const title = `Feast at ${base.protocol}//${base.host}`;
  const url = new URL(`${base.pathname.replace(/\/$/, '')}/get-online-features`, base);
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && token !== '' && { authorization: `Bearer ${token}` }),
  };
  const client = createHttpClient(title, unavailable);
  return {
    title,
    plan: ({ entity, features }) => {
      const asked = service === undefined ? askForViews(features, view) : askForService(features, service);
      return {
        keepsTexts: false,
        read: async (keys, signal, traceparent) => {
          const body = JSON.stringify({ ...asked.body, entities: writeEntities(entity, keys) });
          const sent = { ...headers, traceparent };
          const answer = await client.send({ method: 'POST', url, headers: sent, body }, signal);
          return readAnswer(answer, { title, names: asked.names, count: keys.length });
        },
      };
    },
  };
}

interface Asked {
  readonly body: object;
  /** The names of the features in the answer. */
  readonly names: readonly string[];
}

/** Views can have features of the same name, so the answer has the names of the views, too. */
function askForViews(features: readonly string[], view: string | undefined): Asked {
  const references = features.map((name) => {
    if (/^[^:]+:[^:]+$/.test(name)) return name;
    if (view !== undefined && !name.includes(':')) return `${view}:${name}`;
    throw new SettingsError(
      `the feature ${JSON.stringify(name)} has no feature view; Feast needs "from": "VIEW:FEATURE", or "view" as a setting`,
    );
  });
  const names = references.map((reference) => reference.replace(':', '__'));
  return { body: { features: references, full_feature_names: true }, names };
}

function askForService(features: readonly string[], service: string): Asked {
  return { body: { feature_service: service, full_feature_names: false }, names: features };
}

function writeEntities(entity: WantedFeatures['entity'], keys: readonly EntityKey[]): object {
  return Object.fromEntries(entity.map(({ name }, index) => [name, keys.map((key) => key[index])]));
}

interface Expected {
  readonly title: string;
  readonly names: readonly string[];
  readonly count: number;
}

function readAnswer({ status, text }: HttpAnswer, expected: Expected): readonly (readonly StoredValue[])[] {
  const { title, names, count } = expected;
  if (status === 429 || status >= 502) throw unavailable(`${title} answered with ${status}`);
  const answer = parse(text);
  if (status !== 200) throw new Error(`${title} answered with ${status}${reasonOf(status, answer)}`);
  const columns = names.map((name) => readColumn(answer, name, expected));
  return Array.from({ length: count }, (_, row) => columns.map((column) => column[row]));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Only a 404 names nothing but views and services; other errors can have what clients sent. */
function reasonOf(status: number, answer: unknown): string {
  const detail = status === 404 && typeof answer === 'string' ? parse(answer) : undefined;
  const message = isObject(detail) ? detail.message : undefined;
  return typeof message === 'string' ? `: ${message.slice(0, 200)}` : '; its own log says why';
}

function readColumn(answer: unknown, name: string, { title, count }: Expected): readonly StoredValue[] {
  const { metadata, results } = isObject(answer) ? answer : {};
  const names: unknown = isObject(metadata) ? metadata.feature_names : undefined;
  if (!Array.isArray(names) || !Array.isArray(results))
    throw new Error(`${title} answered with something else than features`);
  const index = names.indexOf(name);
  if (index < 0) throw new Error(`${title} answered without the feature ${JSON.stringify(name)}`);
  const column: unknown = results[index];
  const { values, statuses } = isObject(column) ? column : {};
  const isWhole =
    Array.isArray(values) && Array.isArray(statuses) && values.length === count && statuses.length === count;
  if (!isWhole) throw new Error(`${title} answered with another number of values than of entities`);
  // Not present are NULL_VALUE, NOT_FOUND, and OUTSIDE_MAX_AGE: older than its feature view allows.
  return values.map((value, row) => (statuses[row] === 'PRESENT' ? value : undefined));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
