import { InferenceError } from '../errors.ts';
import { isJsonObject, type JsonValue } from '../json/json-value.ts';
import type { NamedTensors } from '../runtime/session.ts';
import { type Datatype, isFloatType, type NumericArray } from '../tensor/datatype.ts';
import { toNumbers } from '../tensor/tensor.ts';
import type { DeviationKind, Deviations, QualitySummary, ValueQuality } from '../usage.ts';
import type { InferenceInput } from '../values/input.ts';
import { isBytesInput, type NamedInputs, type TensorInput } from '../values/named-inputs.ts';
import { REFUSED_VALUES } from '../values/refused-values.ts';
import type { Feature } from '../values/row.ts';
import { type CountedColumns, type Expected, kindOf, planOf } from './expected-values.ts';

/** What a request sent to a model. */
export type Sent = InferenceInput | NamedInputs;

/**
 * Counts the values of tensors that the graph is run on.
 *
 * @param before what was counted in the same request
 */
export function countFeeds(
  columns: CountedColumns,
  feeds: NamedTensors,
  before?: ValueQuality,
): ValueQuality {
  const count = createCount();
  let rows = 0;
  for (const { input, expected } of planOf(columns)) {
    const tensor = feeds.get(input.spec.name);
    if (!tensor) continue;
    rows = Math.max(rows, tensor.data.length / expected.length);
    const { datatype, data } = tensor;
    if (Array.isArray(data)) countTexts(data, expected, count);
    else countNumbers(datatype === 'FP16' ? toNumbers(tensor) : data, datatype, expected, count);
  }
  return count.end(rows, before);
}

/** What was counted in two parts of a request. */
export function mergeQuality(a: ValueQuality, b: ValueQuality): ValueQuality {
  return createCount().end(0, a, b);
}

/**
 * Counts the values of a request that was refused because of what it has. All of them are looked at, and not only the
 * first that is wrong.
 *
 * @param sent the values that came to the model, if they are not counted yet
 * @param before what was counted in the same request
 * @returns only what was before if it was refused for another reason, or if none of its values belongs to a column
 */
export function countRefused(
  columns: CountedColumns,
  sent: Sent | undefined,
  error: unknown,
  before?: ValueQuality,
): ValueQuality | undefined {
  const isOfValues = error instanceof InferenceError && error.code === 'INVALID_PARAMETER_VALUE';
  if (!isOfValues) return before;
  const count = createCount();
  const refused = REFUSED_VALUES.get(error);
  const rows = refused ? countNested(columns, refused, count) : countSent(columns, sent, count);
  // An error that is kept for later must not count again.
  REFUSED_VALUES.delete(error);
  return rows > 0 ? count.end(rows, before) : before;
}

/** @returns the rows whose values belong to columns */
function countSent(columns: CountedColumns, sent: Sent | undefined, count: Count): number {
  if (sent === undefined) return 0;
  if (!('kind' in sent)) return countInputs(columns, sent, count);
  switch (sent.kind) {
    case 'features':
      return countRows(
        columns,
        sent.rows.map(({ value }) => value),
        count,
      );
    case 'text':
      return countRows(
        columns,
        sent.texts.map(({ value }) => [String(value)]),
        count,
      );
    case 'tensors':
      return countNested(columns, sent.tensors.value, count);
    case 'image':
      return 0;
  }
}

function countRows(columns: CountedColumns, rows: readonly JsonValue[], count: Count): number {
  const plan = planOf(columns);
  let counted = 0;
  for (const row of rows) {
    const cells = cellsOf(row, columns.named);
    if (!cells) continue;
    counted += 1;
    for (const { input, expected } of plan) {
      for (const [column, each] of expected.entries()) {
        count.value(cells[input.places?.[column] ?? column], each);
      }
    }
  }
  return counted;
}

/** The values of a row in the order of the features; undefined if it is not known which is which. */
function cellsOf(row: JsonValue, named: readonly Feature[]): readonly (JsonValue | undefined)[] | undefined {
  if (Array.isArray(row)) return row.length === named.length ? row : undefined;
  if (!isJsonObject(row) || !named.some(({ name }) => Object.hasOwn(row, name))) return undefined;
  return named.map(({ name }) => (Object.hasOwn(row, name) ? row[name] : undefined));
}

function countInputs(columns: CountedColumns, sent: NamedInputs, count: Count): number {
  const given = [...sent].map(([name, input]) => [name, elementsOf(input)] as const);
  return countElements(columns, new Map(given), count);
}

/** Whole tensors as nested lists, by the names of the inputs. */
function countNested(columns: CountedColumns, value: JsonValue, count: Count): number {
  const [only] = columns.inputs;
  const byName = isJsonObject(value) ? Object.entries(value) : only ? [[only.spec.name, value] as const] : [];
  const given = byName.map(([name, list]) => [name, [list].flat(MOST_AXES)] as const);
  return countElements(columns, new Map(given), count);
}

/** A matrix has two, and the list around it is another one. */
const MOST_AXES = 3;

function countElements(
  columns: CountedColumns,
  elements: ReadonlyMap<string, readonly (JsonValue | undefined)[]>,
  count: Count,
): number {
  let rows = 0;
  for (const { input, expected } of planOf(columns)) {
    const given = elements.get(input.spec.name) ?? [];
    const width = expected.length;
    if (given.length % width !== 0) continue;
    rows = Math.max(rows, given.length / width);
    for (const [index, value] of given.entries()) {
      const each = expected[index % width];
      if (each) count.value(value, each);
    }
  }
  return rows;
}

function elementsOf(input: TensorInput): readonly JsonValue[] {
  if (isBytesInput(input)) {
    return input.elements.map((element) =>
      element instanceof Uint8Array ? Buffer.from(element).toString() : element,
    );
  }
  return Array.isArray(input.data) ? input.data : [...toNumbers(input)];
}

function countTexts(texts: readonly string[], expected: readonly Expected[], count: Count): void {
  for (const [column, each] of expected.entries()) {
    if (!each.known && !each.emptyIsMissing) continue;
    for (let index = column; index < texts.length; index += expected.length) count.value(texts[index], each);
  }
}

/** Written for speed: a tensor can have millions of numbers, and nearly all of them are as expected. */
function countNumbers(
  data: NumericArray,
  datatype: Datatype,
  expected: readonly Expected[],
  count: Count,
): void {
  const width = expected.length;
  for (const [column, { name, low, high, known }] of expected.entries()) {
    if (!isFloatType(datatype) && low === -Infinity && high === Infinity && !known) continue;
    for (let index = column; index < data.length; index += width) {
      const value = data[index] ?? 0;
      if (value >= low && value <= high) {
        if (known && !known.has(Number(value))) count.add(name, 'unseen');
      } else count.add(name, Number.isNaN(value) ? 'missing' : 'out_of_range');
    }
  }
}

/** What was found in a request so far. */
interface Count {
  add(name: string, kind: DeviationKind): void;
  /** Adds a value if it is not as expected. */
  value(value: JsonValue | undefined, expected: Expected): void;
  end(rows: number, ...before: readonly (ValueQuality | undefined)[]): ValueQuality;
}

function createCount(): Count {
  const found = new Map<string, Partial<Record<DeviationKind, number>>>();
  const addTo = (name: string, kind: DeviationKind, count: number) => {
    const deviations = found.get(name) ?? {};
    found.set(name, deviations);
    deviations[kind] = (deviations[kind] ?? 0) + count;
  };
  return {
    add: (name, kind) => addTo(name, kind, 1),
    value: (value, expected) => {
      const kind = kindOf(value, expected);
      if (kind) addTo(expected.name, kind, 1);
    },
    end: (own, ...before) => {
      for (const [name, deviations] of before.flatMap((each) => [...(each?.features ?? [])])) {
        for (const kind of KINDS) if (deviations[kind]) addTo(name, kind, deviations[kind]);
      }
      const rows = before.reduce((sum, each) => sum + (each?.rows ?? 0), own);
      if (found.size === 0) return { rows };
      const sorted = [...found].sort(([, a], [, b]) => sumOf(b) - sumOf(a));
      const features = new Map(sorted.map(([name, deviations]) => [name, sortKinds(deviations)]));
      return { rows, features, summary: summarize(rows, features) };
    },
  };
}

/** Features in a line of the log: all of a wide table would make it many kilobytes long. */
const MOST_LOGGED = 20;

function summarize(rows: number, features: ReadonlyMap<string, Deviations>): QualitySummary {
  const total: Partial<Record<DeviationKind, number>> = {};
  for (const kind of KINDS) {
    const count = [...features.values()].reduce((sum, each) => sum + (each[kind] ?? 0), 0);
    if (count > 0) total[kind] = count;
  }
  return { rows, ...total, features: Object.fromEntries([...features].slice(0, MOST_LOGGED)) };
}

function sortKinds(deviations: Deviations): Deviations {
  const kinds = KINDS.filter((kind) => deviations[kind]);
  kinds.sort((a, b) => (deviations[b] ?? 0) - (deviations[a] ?? 0));
  return Object.fromEntries(kinds.map((kind) => [kind, deviations[kind]]));
}

const KINDS: readonly DeviationKind[] = ['missing', 'out_of_range', 'unseen'];

function sumOf(deviations: Deviations): number {
  return KINDS.reduce((sum, kind) => sum + (deviations[kind] ?? 0), 0);
}
