import { InferenceError } from '../../../shared/errors.ts';
import type { Inference } from '../../../shared/inference/inference.ts';
import type { InferenceOutput, InputKind } from '../../../shared/inference/input.ts';
import { inputKindOf } from '../../../shared/inference/task.ts';
import type { ModelReference } from '../../../shared/models/model-repository.ts';
import { toNumbers } from '../../../shared/tensor/tensor.ts';
import { type HeaderRule, type InputRow, openRows } from '../batch/read-rows.ts';
import { type Column, toInput } from '../batch/to-input.ts';
import { CommandError, type Console } from '../console.ts';
import { type OpenModel, openModel } from '../open-model.ts';

export interface CompareOptions {
  readonly repository?: string;
  readonly data: string;
  readonly rows: string;
  readonly header: HeaderRule;
}

/** What two models say of one row. */
interface Difference {
  readonly row: number;
  readonly labels: readonly [string, string] | undefined;
  /** Largest difference of a score, number or element. */
  readonly difference: number;
}

interface Side {
  readonly title: string;
  readonly inference: Inference;
  readonly reference: ModelReference;
  readonly kind: InputKind;
  readonly columns: readonly Column[] | undefined;
  /** Milliseconds in the runtime, per row. */
  readonly runMs: number[];
}

/** Most rows with other labels that are told one by one. */
const SHOWN = 10;

/** `ternion compare`: two models on the same rows, one row after the other, in turns. */
export async function compare(a: string, b: string, options: CompareOptions, output: Console): Promise<void> {
  const limit = Number(options.rows);
  if (!Number.isInteger(limit) || limit < 1)
    throw new CommandError('--rows must be a whole number from 1.', 2);
  const source = await openRows(options.data, options.header);
  const models = [await openModel(a, options.repository), await openModel(b, options.repository)] as const;
  const sides = [await openSide(models[0]), await openSide(models[1])] as const;
  const differences: Difference[] = [];
  let bad = 0;
  for await (const row of source.rows()) {
    if (differences.length + bad >= limit) break;
    const difference = row.problem === undefined ? await compareRow(row, sides) : undefined;
    if (difference) differences.push(difference);
    else bad++;
  }
  for (const { app } of models) await app.close();
  if (differences.length === 0) throw new CommandError(`Neither model could use any of the ${bad} rows.`);
  report(differences, bad, sides, output);
}

async function openSide({ app, reference, title }: OpenModel): Promise<Side> {
  return await app.inference.describe(reference, ({ config, task }) => ({
    title,
    inference: app.inference,
    reference,
    kind: inputKindOf(config),
    columns: task.features,
    runMs: [],
  }));
}

/** Undefined when one of them does not take the row. */
async function compareRow(row: InputRow, [a, b]: readonly [Side, Side]): Promise<Difference | undefined> {
  try {
    // The one that runs second finds warmer caches, so they take turns.
    const isEven = row.row % 2 === 0;
    const first = await run(row, isEven ? a : b);
    const second = await run(row, isEven ? b : a);
    const [ofA, ofB] = isEven ? [first, second] : [second, first];
    return { row: row.row, labels: labelsOf(ofA, ofB), difference: largestDifference(ofA, ofB) };
  } catch (error) {
    if (error instanceof InferenceError && error.status < 500) return undefined;
    throw error;
  }
}

async function run(row: InputRow, side: Side): Promise<InferenceOutput> {
  const { name, version } = side.reference;
  const input = toInput([row], side.kind, side.columns);
  const { output, runMs } = await side.inference.infer({ model: name, version, input });
  side.runMs.push(runMs);
  return output;
}

function labelsOf(a: InferenceOutput, b: InferenceOutput): readonly [string, string] | undefined {
  if (a.kind !== 'classification' || b.kind !== 'classification') return undefined;
  return [String(a.predictions[0]?.label), String(b.predictions[0]?.label)];
}

/** By label, name or place; what only one of them has counts in full. */
function largestDifference(a: InferenceOutput, b: InferenceOutput): number {
  const [left, right] = [valuesOf(a), valuesOf(b)];
  let largest = 0;
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const difference = Math.abs((left.get(key) ?? 0) - (right.get(key) ?? 0));
    if (difference > largest) largest = difference;
  }
  return largest;
}

function valuesOf(output: InferenceOutput): ReadonlyMap<string, number> {
  switch (output.kind) {
    case 'classification': {
      const scores = output.predictions[0]?.scores ?? [];
      return new Map(Array.from(scores, (score, index) => [String(output.labels[index] ?? index), score]));
    }
    case 'regression':
      return new Map([output.predictions[0] ?? []].flat().map((value, index) => [String(index), value]));
    case 'embedding':
      return new Map(
        Array.from(output.predictions[0] ? toNumbers(output.predictions[0]) : [], (value, index) => [
          String(index),
          value,
        ]),
      );
    case 'tensors':
      return new Map(
        [...output.tensors].flatMap(([name, tensor]) =>
          tensor.datatype === 'BYTES'
            ? []
            : Array.from(toNumbers(tensor), (value, index): [string, number] => [`${name}[${index}]`, value]),
        ),
      );
  }
}

function report(
  differences: readonly Difference[],
  bad: number,
  sides: readonly [Side, Side],
  output: Console,
): void {
  const changed = differences.filter(({ labels }) => labels && labels[0] !== labels[1]);
  const largest = differences.reduce((worst, each) => (each.difference > worst.difference ? each : worst));
  const latency = sides.map(({ title, runMs }) => ({
    model: title,
    p50_ms: quantile(runMs, 0.5),
    p95_ms: quantile(runMs, 0.95),
  }));
  const shown = changed.slice(0, SHOWN).map(({ row, labels }) => ({ row, a: labels?.[0], b: labels?.[1] }));
  output.result(
    {
      rows: differences.length,
      bad,
      labels_differ: changed.length,
      first_differing: shown,
      largest_difference: { value: largest.difference, row: largest.row },
      latency,
    },
    () =>
      [
        `${differences.length} rows compared${bad > 0 ? `, ${bad} not taken by both` : ''}`,
        `labels differ in ${changed.length}`,
        ...shown.map(({ row, a, b }) => `  row ${row}: ${a} / ${b}`),
        ...(changed.length > SHOWN ? [`  and ${changed.length - SHOWN} more`] : []),
        `largest difference ${largest.difference.toPrecision(3)} in row ${largest.row}`,
        ...latency.map(
          ({ model, p50_ms, p95_ms }) =>
            `${model}: ${p50_ms.toFixed(3)} ms a row (p95 ${p95_ms.toFixed(3)} ms)`,
        ),
      ].join('\n'),
  );
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
