import type { Schema, SchemaIssue } from '../processors/schema.ts';
import type { EntityMember, FeaturePlan, FeatureStore } from './feature-store.ts';

/** A feature that a model looks up. */
export interface FeatureSpec {
  /** As the model calls it. */
  readonly name: string;
  /** As the store calls it. */
  readonly from: string;
  readonly type: 'text' | 'number' | 'boolean' | undefined;
  /** Stands for a value that the store does not have; undefined if the request is refused then. */
  readonly fallback: Default | undefined;
}

type Default = string | number | boolean | null;

/** The step in a model.json. */
export interface StepOptions {
  readonly entity: readonly EntityMember[];
  readonly features: readonly FeatureSpec[];
  /** Features that clients send. */
  readonly request: readonly string[];
  readonly plan: FeaturePlan;
  readonly planId: number;
}

/** A mistake in the options, and where it is. */
class OptionError extends Error {
  readonly path: readonly (string | number)[];

  constructor(message: string, path: readonly (string | number)[] = []) {
    super(message);
    this.path = path;
  }
}

/**
 * The options of the step, for one store. It is written without a library, because a library would be a part of each
 * compiled project.
 */
export function stepOptions(store: FeatureStore): Schema<StepOptions> {
  const planIds = new Map<string, number>();
  return {
    '~standard': {
      version: 1,
      vendor: 'ternion',
      validate: (given) => {
        try {
          const options = readOptions(given);
          const wanted = { entity: options.entity, features: options.features.map(({ from }) => from) };
          const text = JSON.stringify(wanted);
          const planId = planIds.get(text) ?? planIds.size;
          const plan = planOf(store, wanted);
          planIds.set(text, planId);
          return { value: { ...options, plan, planId } };
        } catch (error) {
          if (error instanceof OptionError) return { issues: [issueOf(error)] };
          throw error;
        }
      },
    },
  };
}

function issueOf({ message, path }: OptionError): SchemaIssue {
  return { message, path };
}

function planOf(store: FeatureStore, wanted: Parameters<FeatureStore['plan']>[0]): FeaturePlan {
  try {
    return store.plan(wanted);
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message.replace(/\.$/, '') : String(error));
  }
}

function readOptions(given: unknown): Omit<StepOptions, 'plan' | 'planId'> {
  const {
    entity,
    features,
    request = [],
    missing = 'refuse',
  } = membersOf(given, ['entity', 'features', 'request', 'missing'], []);
  if (missing !== 'refuse' && missing !== 'null')
    throw new OptionError('expected "refuse" or "null"', ['missing']);
  const options = {
    entity: listOf(entity, ['entity'], readMember, true),
    features: listOf(features, ['features'], (each, path) => readFeature(each, path, missing === 'null')),
    request: Array.isArray(request) && request.length === 0 ? [] : listOf(request, ['request'], readName),
  };
  refuseTwice(options);
  return options;
}

function membersOf(
  value: unknown,
  known: readonly string[],
  path: readonly (string | number)[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new OptionError('expected an object', path);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return { ...value };
  throw new OptionError(
    `there is no ${JSON.stringify(unknown.slice(0, 60))}; it has ${known.map((name) => `"${name}"`).join(', ')}`,
    path,
  );
}

type Path = readonly (string | number)[];

function listOf<T>(
  value: unknown,
  path: Path,
  read: (each: unknown, path: Path) => T,
  canBeOne = false,
): readonly T[] {
  if (canBeOne && value !== undefined && !Array.isArray(value)) return [read(value, path)];
  if (Array.isArray(value) && value.length > 0)
    return value.map((each, index) => read(each, [...path, index]));
  throw new OptionError(value === undefined ? 'missing; expected names' : 'expected a list of names', path);
}

function readName(value: unknown, path: Path): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new OptionError('expected a name', path);
}

function readMember(value: unknown, path: Path): EntityMember {
  if (typeof value === 'string') return { name: readName(value, path) };
  const { name, type } = membersOf(value, ['name', 'type'], path);
  if (type !== undefined && type !== 'text' && type !== 'number')
    throw new OptionError('expected "text" or "number"', [...path, 'type']);
  return { name: readName(name, [...path, 'name']), type };
}

function readFeature(value: unknown, path: Path, allowsNull: boolean): FeatureSpec {
  const otherwise = allowsNull ? null : undefined;
  if (typeof value === 'string') {
    const name = readName(value, path);
    return { name, from: name, type: undefined, fallback: otherwise };
  }
  const {
    name,
    from = name,
    type,
    default: given = otherwise,
  } = membersOf(value, ['name', 'from', 'type', 'default'], path);
  if (type !== undefined && type !== 'text' && type !== 'number' && type !== 'boolean')
    throw new OptionError('expected "text", "number" or "boolean"', [...path, 'type']);
  if (given !== undefined && !isDefault(given))
    throw new OptionError('expected a number, a text, true, false or null', [...path, 'default']);
  return {
    name: readName(name, [...path, 'name']),
    from: readName(from, [...path, 'from']),
    type,
    fallback: given,
  };
}

function isDefault(value: unknown): value is Default {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function refuseTwice({
  entity,
  features,
  request,
}: Pick<StepOptions, 'entity' | 'features' | 'request'>): void {
  const names = [...entity, ...features].map(({ name }) => name).concat(request);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new OptionError(`it has the name ${JSON.stringify(twice)} twice`);
}
