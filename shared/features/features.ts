import {
  defineProcessor,
  type Instance,
  invalid,
  type Processor,
  type Returned,
} from '../processors/processor.ts';
import type { EntityKey, EntityMember, FeatureStore, StoredValue } from './feature-store.ts';
import { createLookups, type LookupSettings } from './lookups.ts';
import { refuseUnknown, requireNumber } from './settings.ts';
import { type FeatureSpec, type StepOptions, stepOptions } from './step-options.ts';

/** The settings of `features`. */
export interface FeaturesSettings {
  /** Where features are: what `redis`, `feast` or `dynamodb` makes, or a store of your own. */
  readonly store: FeatureStore;
  /** The name of the step in model.json; by default `features`. */
  readonly name?: string;
  /** For how many seconds what the store had is used again, also that it had nothing. By default 10; 0 for never. */
  readonly cacheSeconds?: number;
  /** Most entities that are kept, those that were used last. By default 10,000. */
  readonly cacheEntities?: number;
  /** Longest time that a request waits for the store. By default 1,000 milliseconds. */
  readonly timeoutMs?: number;
}

const SUBJECT = 'The step "features"';
const MOST_SECONDS = 7 * 24 * 3600;
const MOST_ENTITIES = 10_000_000;
const MOST_TIMEOUT_MS = 600_000;

/**
 * A step that looks up features in a store by the id of an entity. It makes rows of them, for a model that takes a table.
 *
 * @throws SettingsError
 */
export function features(settings: FeaturesSettings): Processor {
  refuseUnknown(SUBJECT, settings, ['store', 'name', 'cacheSeconds', 'cacheEntities', 'timeoutMs']);
  const { store, name = 'features' } = settings;
  const lookups = createLookups(store, readSettings(settings));
  return defineProcessor({
    name,
    takes: 'features',
    options: stepOptions(store),
    before: async (instances, { options, ...context }) => {
      const asked = instances.map((instance, index) =>
        readInstance(instance, `instances[${index}]`, options),
      );
      const found = await lookups.find(
        options.plan,
        options.planId,
        asked.map(({ key }) => key),
        context,
      );
      return asked.map((each, index) => makeRow(each, found[index] ?? [], options));
    },
  });
}

function readSettings({
  cacheSeconds = 10,
  cacheEntities = 10_000,
  timeoutMs = 1000,
}: FeaturesSettings): LookupSettings {
  return {
    cacheSeconds: requireNumber(SUBJECT, 'cacheSeconds', cacheSeconds, { least: 0, most: MOST_SECONDS }),
    cacheEntities: requireNumber(SUBJECT, 'cacheEntities', cacheEntities, { least: 0, most: MOST_ENTITIES }),
    timeoutMs: requireNumber(SUBJECT, 'timeoutMs', timeoutMs, { least: 1, most: MOST_TIMEOUT_MS }),
  };
}

/** What a client sent for one row. */
interface Asked {
  readonly key: EntityKey;
  /** Where the entity is in the request. */
  readonly field: string;
  readonly sent: readonly (readonly [name: string, value: Returned])[];
}

function readInstance(instance: Instance, field: string, options: StepOptions): Asked {
  const asked = readMembers(instance, field, options);
  const problem = options.plan.check?.(asked.key);
  if (problem === undefined) return asked;
  const member = options.entity[problem.member];
  const isAlone = isId(instance) || member === undefined;
  throw invalid(isAlone ? field : `${field}.${member.name}`, problem.problem);
}

function readMembers(instance: Instance, field: string, { entity, features, request }: StepOptions): Asked {
  const [only] = entity;
  if (only !== undefined && entity.length === 1 && request.length === 0 && isId(instance))
    return { key: [readId(instance, only, field)], field, sent: [] };
  const expected = [...entity.map((member) => member.name), ...request];
  if (
    typeof instance !== 'object' ||
    instance === null ||
    Array.isArray(instance) ||
    instance instanceof Uint8Array
  ) {
    const alone = expected.length === 1 ? ', or the id alone' : '';
    throw invalid(field, `must be an object with ${expected.map((name) => `"${name}"`).join(', ')}${alone}.`);
  }
  const members: Readonly<Record<string, Returned>> = instance;
  const missing = expected.find((name) => !Object.hasOwn(members, name));
  if (missing !== undefined) throw invalid(`${field}.${missing}`, 'is missing.');
  const unknown = Object.keys(members).find((name) => !expected.includes(name));
  if (unknown !== undefined) {
    const isLookedUp = features.some(({ name }) => name === unknown);
    const taken = expected.map((name) => `"${name}"`).join(', ');
    throw invalid(
      `${field}.${unknown}`,
      isLookedUp ? 'is looked up, and cannot be sent.' : `is not known; expected ${taken}.`,
    );
  }
  return {
    key: entity.map((member) => readId(members[member.name], member, `${field}.${member.name}`)),
    field: entity.length === 1 && only !== undefined ? `${field}.${only.name}` : field,
    sent: request.map((name) => [name, members[name]]),
  };
}

function isId(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

/** Longer ones are not keys in any store: DynamoDB has at most 2,048 bytes. */
const LONGEST_ID = 1024;

function readId(value: unknown, { type }: EntityMember, field: string): string | number {
  const expected = type === 'number' ? 'a whole number' : 'a text or a whole number';
  const isWhole = typeof value === 'number' && Number.isSafeInteger(value);
  if (isWhole) return type === 'text' ? String(value) : value;
  if (typeof value !== 'string' || type === 'number')
    throw invalid(field, `is not an id; expected ${expected}.`);
  if (value === '' || value.length > LONGEST_ID || !value.isWellFormed())
    throw invalid(field, `is not an id; expected a text of 1 to ${LONGEST_ID} characters.`);
  return value;
}

function makeRow(
  { field, sent }: Asked,
  values: readonly StoredValue[],
  { features, plan }: StepOptions,
): { readonly [name: string]: Returned } {
  const read = features.map((spec, index) => readValue(values[index], spec, plan.keepsTexts));
  const absent = features.filter(
    ({ fallback }, index) => read[index] === undefined && fallback === undefined,
  );
  const [first] = absent;
  if (first !== undefined) {
    const isUnknown = read.every((value) => value === undefined);
    throw invalid(field, isUnknown ? 'has no features.' : `has no feature "${first.name}".`);
  }
  const looked = features.map(({ name, fallback }, index): [string, Returned] => [
    name,
    read[index] ?? fallback,
  ]);
  return Object.fromEntries([...looked, ...sent]);
}

/** @returns undefined for a value that the store does not have */
function readValue(value: StoredValue, { name, type }: FeatureSpec, keepsTexts: boolean): Returned {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') {
    if (type === 'text') return value;
    if (value === '' && keepsTexts) return undefined;
    if (type === undefined) return (keepsTexts ? readNumber(value) : undefined) ?? value;
    const read = type === 'number' ? readNumber(value) : BOOLEANS.get(value.toLowerCase());
    if (read !== undefined) return read;
  } else if (type === undefined || typeof value === type) {
    return value;
  } else if (type === 'text' && typeof value === 'number') {
    return String(value);
  }
  throw new Error(`the feature "${name}" of an entity is not a ${type} in the store`);
}

/** As in JSON, and as cells of CSV are read. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** @returns undefined for other texts, and for numbers that are too large for one */
function readNumber(text: string): number | undefined {
  const value = JSON_NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);
