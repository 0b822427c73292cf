import { isObject, listOf, membersOf, textOf } from './parse.ts';

/** One model of the list. */
export interface ModelListing {
  readonly name: string;
  readonly versions: readonly string[];
  readonly liveVersion: string;
}

export interface Feature {
  readonly name: string;
  readonly unit: string | undefined;
  readonly range: readonly [number, number] | undefined;
  readonly description: string | undefined;
  /** All values it takes; empty if it takes any value. */
  readonly values: readonly string[];
}

/** What a column of a tabular model holds. */
export interface Column {
  /** Whether its values are texts, even if they look like numbers. */
  readonly isText: boolean;
  /** Whether a missing number is sent as null. */
  readonly isNullable: boolean;
}

export interface TensorSpec {
  readonly name: string;
  readonly datatype: string;
  /** -1 for an axis of any length. */
  readonly shape: readonly number[];
}

/** What the server says about one version of a model. */
export interface ModelDescription {
  readonly task: string;
  /** The kind of input in its requests: `features`, `image`, `text` or `tensors`. */
  readonly input: string;
  readonly description: string | undefined;
  readonly features: readonly Feature[] | undefined;
  /**
   * Neighbouring columns of a row that have one kind, with their number: -1 for any. Empty for models that take no
   * rows.
   */
  readonly columns: readonly (Column & { readonly count: number })[];
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly metrics: ReadonlyMap<string, number>;
  /** Body of a predict request. */
  readonly example: Readonly<Record<string, unknown>> | undefined;
}

/** Reads the answer to `GET /models`. */
export function parseListings(answer: unknown): ModelListing[] {
  return listOf(membersOf(answer).models).flatMap((entry) => {
    const { name, versions, live_version: live } = membersOf(entry);
    const listed = listOf(versions).flatMap((version) => textOf(version) ?? []);
    const liveVersion = textOf(live) ?? listed.at(-1);
    return typeof name === 'string' && liveVersion !== undefined
      ? [{ name, versions: listed, liveVersion }]
      : [];
  });
}

/** Reads the answer to `GET /models/{model}/versions/{version}`. */
export function parseDescription(answer: unknown): ModelDescription {
  const { task, input, description, features, columns, inputs, outputs, metrics, example } =
    membersOf(answer);
  return {
    task: textOf(task) ?? 'tensor',
    input: textOf(input) ?? 'tensors',
    description: textOf(description),
    features: Array.isArray(features) ? features.map(parseFeature) : undefined,
    columns: listOf(columns).map(parseColumns),
    inputs: listOf(inputs).map(parseSpec),
    outputs: listOf(outputs).map(parseSpec),
    metrics: new Map(
      Object.entries(membersOf(metrics)).flatMap(([name, value]) =>
        typeof value === 'number' ? [[name, value]] : [],
      ),
    ),
    example: isObject(example) ? example : undefined,
  };
}

function parseFeature(value: unknown, index: number): Feature {
  const { name, unit, range, description, values } = membersOf(value);
  const [low, high] = listOf(range);
  return {
    name: textOf(name) ?? String(index),
    unit: textOf(unit),
    range: typeof low === 'number' && typeof high === 'number' ? [low, high] : undefined,
    description: textOf(description),
    values: listOf(values).map(String),
  };
}

function parseColumns(value: unknown) {
  const { type, count, nullable } = membersOf(value);
  return { isText: type === 'string', isNullable: nullable === true, count: Number(count) };
}

function parseSpec(value: unknown): TensorSpec {
  const { name, datatype, shape } = membersOf(value);
  return { name: textOf(name) ?? '', datatype: textOf(datatype) ?? '', shape: listOf(shape).map(Number) };
}
