import { isJsonObject, type JsonValue } from '../json/json-value.ts';
import { LIVE } from '../models/model-reference.ts';
import type { Range, Serving, Traffic } from '../models/serving.ts';
import { partOf } from './hash.ts';

/** What a division of requests may depend on. */
export interface RequestFacts {
  readonly requestId: string;
  /** The value of a header, by its name in small letters; undefined without it. */
  readonly header: (name: string) => string | undefined;
  /** What the JSON body has at a path such as `customer.id`; undefined without it, and for other bodies. */
  readonly field: (path: string) => JsonValue | undefined;
}

/** Which version answers a request, and how that was decided. */
export interface Assignment {
  readonly version: string;
  /** `live`, or the alias or version that the request was assigned to. */
  readonly variant: string;
  /** Whether the next request with the same key gets the same; undefined if no key was asked for. */
  readonly sticky: boolean | undefined;
}

/** A model as a division needs it. */
export interface Divided {
  /** Those that are served. */
  readonly versions: readonly string[];
  readonly liveVersion: string;
  readonly serving: Serving;
}

/**
 * Decides which version answers a request that names none: that of the first rule whose condition it meets, else that of
 * the range of its key, else the live one. A target without a version that is served falls to the live version.
 *
 * @param meets whether the request meets the condition of a rule
 */
export function assign(
  model: Divided,
  facts: RequestFacts,
  meets: (when: Traffic['rules'][number]['when']) => boolean,
): Assignment {
  const { traffic } = model.serving;
  const live: Assignment = { version: model.liveVersion, variant: LIVE, sticky: undefined };
  if (!traffic) return live;
  const rule = traffic.rules.find(({ when }) => meets(when));
  if (rule) return toTarget(model, rule.target, undefined) ?? live;
  if (traffic.ranges.length === 0) return live;
  const key = traffic.key && readKey(traffic.key, facts);
  const sticky = traffic.key && key !== undefined;
  const target = ownerOf(traffic.ranges, partOf(traffic.seed, key ?? facts.requestId));
  return (target === undefined ? undefined : toTarget(model, target, sticky)) ?? { ...live, sticky };
}

/**
 * The versions that get a copy of a request, each by a seed of its own, so that the same people are not in all of them.
 * The version that answered is not one of them.
 */
export function assignShadows(
  { versions, serving }: Divided,
  facts: RequestFacts,
  answered: string,
): readonly string[] {
  const { traffic } = serving;
  if (!traffic || traffic.shadows.length === 0) return [];
  const value = (traffic.key && readKey(traffic.key, facts)) ?? facts.requestId;
  const chosen: string[] = [];
  for (const { target, percent } of traffic.shadows) {
    if (partOf([traffic.seed, '/shadow/', target], value) >= percent * 100) continue;
    const version = versionOf(target, versions, serving);
    if (version !== undefined && version !== answered && !chosen.includes(version)) chosen.push(version);
  }
  return chosen;
}

/** The versions that a request which names none can get: the live one first. */
export function choosable({ versions, liveVersion, serving }: Divided): readonly string[] {
  const { ranges = [], rules = [] } = serving.traffic ?? {};
  const targets = [...ranges, ...rules].map(({ target }) => versionOf(target, versions, serving));
  return [...new Set([liveVersion, ...targets.filter((version) => version !== undefined)])];
}

/** Whether a decision needs the body of a request. */
export function readsBody({ key, rules }: Traffic): boolean {
  return (
    (key !== undefined && 'field' in key) ||
    rules.some(({ when }) => JSON.stringify(when).includes('"field.'))
  );
}

function toTarget(
  { versions, serving }: Divided,
  target: string,
  sticky: boolean | undefined,
): Assignment | undefined {
  const version = versionOf(target, versions, serving);
  return version === undefined ? undefined : { version, variant: target, sticky };
}

/**
 * The version that a target stands for; undefined if it is not served. A version has precedence over an alias of the same
 * name, as in requests.
 */
export function versionOf(
  target: string,
  versions: readonly string[],
  { aliases }: Serving,
): string | undefined {
  const version = versions.includes(target) || !Object.hasOwn(aliases, target) ? target : aliases[target];
  return version !== undefined && versions.includes(version) ? version : undefined;
}

/** There are few ranges, so they are tried in their order. */
function ownerOf(ranges: readonly Range[], part: number): string | undefined {
  return ranges.find(({ start, end }) => start <= part && part < end)?.target;
}

/** The value that makes requests belong together; undefined if the request has none, or an empty one. */
function readKey(key: NonNullable<Traffic['key']>, facts: RequestFacts): string | undefined {
  if ('header' in key) return facts.header(key.header.toLowerCase()) || undefined;
  if ('cookie' in key) return readCookie(facts, key.cookie) || undefined;
  const value = facts.field(key.field);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value) || undefined
    : undefined;
}

/** Source: RFC 6265, section 4.2. The first cookie of a name counts. */
export function readCookie(facts: Pick<RequestFacts, 'header'>, name: string): string | undefined {
  for (const pair of facts.header('cookie')?.split(';') ?? []) {
    const end = pair.indexOf('=');
    if (end > 0 && pair.slice(0, end).trim() === name) return pair.slice(end + 1).trim();
  }
  return undefined;
}

/** What JSON has at a path with dots, where a number stands for an element of a list; undefined without it. */
export function fieldAt(json: JsonValue | undefined, path: string): JsonValue | undefined {
  let place = json;
  for (const name of path.split('.')) {
    if (Array.isArray(place)) place = /^\d{1,9}$/.test(name) ? place[Number(name)] : undefined;
    else place = isJsonObject(place) && Object.hasOwn(place, name) ? place[name] : undefined;
  }
  return place;
}
