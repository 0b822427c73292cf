import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { inputKindOf } from '../../../shared/inference/task.ts';
import { openJournal } from '../batch/journal.ts';
import { createProgress } from '../batch/progress.ts';
import { type HeaderRule, type InputRow, openRows, type RowSource } from '../batch/read-rows.ts';
import { createRowRunner, type RowRunner } from '../batch/run-rows.ts';
import { type ResultFormat, resultFormat } from '../batch/write-results.ts';
import { CommandError, type Console } from '../console.ts';
import { type OpenModel, openModel } from '../open-model.ts';

export interface BatchOptions {
  readonly repository?: string;
  readonly batchSize: string;
  readonly header: HeaderRule;
  readonly force: boolean;
}

interface Counts {
  rows: number;
  bad: number;
}

/** `ternion batch`: predictions for all rows of a file, or all images of a folder. */
export async function batch(
  model: string,
  input: string,
  output: string,
  options: BatchOptions,
  console: Console,
): Promise<void> {
  const batchSize = Number(options.batchSize);
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > 65_536) {
    throw new CommandError('--batch-size must be a whole number from 1 to 65536.', 2);
  }
  const source = await openRows(input, options.header);
  const opened = await openModel(model, options.repository);
  const { runner, format } = await prepare(opened, output);
  const journal = await openJournal(
    output,
    {
      model: `${opened.title} (${opened.reference.name}/${opened.reference.version})`,
      input: resolve(input),
      inputIdentity: source.identity,
      format: format.name,
    },
    { force: options.force, headerLines: format.header === '' ? 0 : 1 },
  );
  if (journal.rowsDone > 0)
    console.note(`Going on behind row ${journal.rowsDone}, which was the last one done.`);
  const counts = await writeAll(
    { source, runner, format, batchSize, output, skip: journal.rowsDone },
    console,
  );
  if (!counts) return;
  await journal.finish();
  await opened.app.close();
  console.result(
    { output, rows: counts.rows + journal.rowsDone, bad: counts.bad, resumed_at: journal.rowsDone },
    () => `${output}: ${counts.rows + journal.rowsDone} rows, ${counts.bad} of them bad in this run`,
  );
  if (counts.bad > 0) process.exitCode = 3;
}

async function prepare(
  { app, reference }: OpenModel,
  output: string,
): Promise<{ runner: RowRunner; format: ResultFormat }> {
  return await app.inference.describe(reference, ({ config, task }) => {
    const kind = inputKindOf(config);
    const columns = task.features;
    const labels = task.labels?.map(String);
    // All scores of a row are in its result, but only the best ones of an image.
    const scores = kind === 'image' ? labels && [] : labels;
    return {
      runner: createRowRunner(app.inference, reference, kind, columns),
      format: resultFormat(output, scores, kind === 'image'),
    };
  });
}

interface Work {
  readonly source: RowSource;
  readonly runner: RowRunner;
  readonly format: ResultFormat;
  readonly batchSize: number;
  readonly output: string;
  /** Rows that are done already. */
  readonly skip: number;
}

/** Undefined when a signal stopped it: what is written is whole, and the same command goes on with it. */
async function writeAll(work: Work, console: Console): Promise<Counts | undefined> {
  const { source, runner, format, output, skip } = work;
  const stream = createWriteStream(output, { flags: 'a' });
  const write = (text: string) =>
    new Promise<void>((done, fail) => stream.write(text, (error) => (error ? fail(error) : done())));
  const stop = listenForStop();
  const progress = createProgress(source.total, console);
  const counts: Counts = { rows: 0, bad: 0 };
  try {
    if (skip === 0 && format.header !== '') await write(format.header);
    for await (const rows of inBatches(source.rows(), work.batchSize, skip)) {
      const results = await runner.run(rows);
      await write(format.write(results));
      counts.rows += rows.length;
      counts.bad += results.filter((result) => 'error' in result).length;
      progress.update(source.position(), counts.rows, counts.bad);
      if (stop.isAsked()) break;
    }
  } finally {
    progress.stop();
    stop.forget();
    await new Promise<void>((done) => stream.end(done));
  }
  if (!stop.isAsked()) return counts;
  console.note(`Stopped behind row ${skip + counts.rows}; the same command goes on from there.`);
  process.exitCode = 130;
  return undefined;
}

async function* inBatches(
  rows: AsyncIterable<InputRow>,
  size: number,
  skip: number,
): AsyncIterable<readonly InputRow[]> {
  let collected: InputRow[] = [];
  for await (const row of rows) {
    if (row.row <= skip) continue;
    collected.push(row);
    if (collected.length < size) continue;
    yield collected;
    collected = [];
  }
  if (collected.length > 0) yield collected;
}

/** The first signal is waited with until the rows under way are written. */
function listenForStop(): { isAsked(): boolean; forget(): void } {
  let isAsked = false;
  const ask = () => {
    isAsked = true;
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, ask);
  return {
    isAsked: () => isAsked,
    forget: () => {
      for (const signal of signals) process.removeListener(signal, ask);
    },
  };
}
