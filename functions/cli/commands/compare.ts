import { InferenceError } from '../../../shared/errors.ts';
import type { InferenceOutput } from '../../../shared/inference/output.ts';
import type { OutputKind } from '../../../shared/values/contract.ts';
import { type BoundSource, bindSource, columnNames } from '../batch/bind-source.ts';
import { openRows, type TableOptions } from '../batch/read-rows.ts';
import type { InputRow, RowSource } from '../batch/row-source.ts';
import { toInput } from '../batch/to-input.ts';
import { compareOutputs, type Difference, renameInputs } from '../compare/compare-outputs.ts';
import { type Comparison, describeComparison, summarise } from '../compare/summarise.ts';
import { CommandError, type Console } from '../console.ts';
import { type FoundModel, findModel, look } from '../find-model.ts';
import { readWhole } from '../words.ts';

export interface CompareOptions extends TableOptions {
  readonly repository?: string;
  readonly data: string;
  readonly rows: string;
}

interface Side {
  readonly model: FoundModel;
  readonly bound: BoundSource;
  /** The kind of its answers; only answers of the same kind can be compared. */
  readonly gives: string;
  /** Milliseconds in the runtime, per row. */
  readonly runMs: number[];
}

/** Runs of the first row that are not counted: the first runs of a session take several times as long. */
const WARM_UP_RUNS = 5;

/** `ternion compare`: two models on the same rows, one row after the other, in turns. */
export async function compare(a: string, b: string, options: CompareOptions, output: Console): Promise<void> {
  const limit = readWhole(options.rows, '--rows', 1, 100_000_000);
  const models = [await findModel(a, options.repository), await findModel(b, options.repository)] as const;
  const source = await openRows(options.data, options, await Promise.all(models.map(columnNames)));
  const sides = [await openSide(models[0], source), await openSide(models[1], source)] as const;
  const [left, right] = sides;
  const notes = new Set([source.note, left.bound.note, right.bound.note]);
  for (const note of notes) if (note !== undefined) output.note(note);
  const isSame = left.bound.kind === right.bound.kind;
  if (!isSame || left.gives !== right.gives) {
    const [first, second] = sides.map(({ bound, gives }) =>
      isSame ? `gives ${gives}` : `takes ${bound.kind}`,
    );
    throw new CommandError(`They cannot be compared: ${a} ${first}, ${b} ${second}.`, 2);
  }
  const comparison = await compareAndClose(source, sides, limit);
  const { compared, bad } = comparison;
  if (compared.length === 0) {
    throw new CommandError(
      bad ? `None of the rows can be used: ${bad.first}` : `${options.data} has no rows.`,
    );
  }
  const summary = summarise(
    comparison,
    sides.map(({ model, runMs }) => ({ title: model.title, runMs })),
  );
  output.result(summary, () => describeComparison(summary));
  if (bad) process.exitCode = 3;
}

async function compareAndClose(...compared: Parameters<typeof compareRows>): ReturnType<typeof compareRows> {
  try {
    return await compareRows(...compared);
  } finally {
    for (const { model } of compared[1]) await model.app.close();
  }
}

async function openSide(model: FoundModel, source: RowSource): Promise<Side> {
  const bound = await bindSource(model, source);
  const gives = await look(model, ({ contract }) => GIVEN[contract.gives]);
  return { model, bound, gives, runMs: [] };
}

/** The kinds of answers, in the words of messages. */
const GIVEN: Readonly<Record<OutputKind, string>> = {
  classification: 'labels',
  regression: 'numbers',
  rows: 'several values for each row',
  embedding: 'vectors',
  tensors: 'tensors',
  values: 'other values',
};

async function compareRows(
  source: RowSource,
  sides: readonly [Side, Side],
  limit: number,
): Promise<Comparison> {
  const compared: (Difference & { readonly row: number | string })[] = [];
  let bad: Comparison['bad'];
  let isWarm = false;
  for await (const row of source.rows()) {
    if (compared.length + (bad?.rows ?? 0) >= limit) break;
    try {
      if (row.problem !== undefined) throw new InferenceError('INVALID_PARAMETER_VALUE', row.problem);
      if (!isWarm) await warmUp(row, sides);
      isWarm = true;
      compared.push({ row: row.file ?? row.row, ...(await compareRow(row, sides)) });
    } catch (error) {
      if (!(error instanceof InferenceError) || error.status >= 500) throw error;
      bad = { rows: (bad?.rows ?? 0) + 1, first: bad?.first ?? error.message };
    }
  }
  return { compared, bad };
}

async function warmUp(row: InputRow, sides: readonly [Side, Side]): Promise<void> {
  for (let run = 0; run < WARM_UP_RUNS; run++) await compareRow(row, sides);
  for (const { runMs } of sides) runMs.length = 0;
}

/** @throws InferenceError when one of them does not take the row */
async function compareRow(row: InputRow, [a, b]: readonly [Side, Side]): Promise<Difference> {
  // The model that runs second finds warmer caches, so they take turns.
  const isEven = row.row % 2 === 0;
  const first = await (isEven ? run(row, a, b) : run(row, b, a));
  const second = await (isEven ? run(row, b, a) : run(row, a, b));
  // A row that only one of them takes says nothing about their speed.
  a.runMs.push((isEven ? first : second).runMs);
  b.runMs.push((isEven ? second : first).runMs);
  return isEven ? compareOutputs(first.output, second.output) : compareOutputs(second.output, first.output);
}

async function run(
  row: InputRow,
  { model: { app, reference }, bound }: Side,
  other: Side,
): Promise<{ readonly output: InferenceOutput; readonly runMs: number }> {
  const given = toInput([row], bound.kind, bound.columns);
  const input = renameInputs(given, bound.inputs, other.bound.inputs);
  const { value, usage } = await app.inference.use({ reference }, {}, (model) => model.predict(input));
  return { output: value, runMs: usage.runMs };
}
