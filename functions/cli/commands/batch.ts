import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { InputKind } from '../../../shared/values/input.ts';
import { bindSource, columnNames } from '../batch/bind-source.ts';
import { inBatches } from '../batch/in-batches.ts';
import { type Journal, openJournal } from '../batch/journal.ts';
import { lockOutput } from '../batch/output-lock.ts';
import { createProgress } from '../batch/progress.ts';
import { openRows, type TableOptions } from '../batch/read-rows.ts';
import type { RowSource } from '../batch/row-source.ts';
import { createRowRunner, type RowRunner } from '../batch/run-rows.ts';
import { type ResultFormat, resultFormat } from '../batch/write-results.ts';
import { CommandError, type Console } from '../console.ts';
import { type FoundModel, findModel } from '../find-model.ts';
import { countOf, readWhole } from '../words.ts';

export interface BatchOptions extends TableOptions {
  readonly repository?: string;
  readonly batchSize: string;
  readonly force?: boolean;
  readonly safeCells?: boolean;
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
  terminal: Console,
): Promise<void> {
  const batchSize = readWhole(options.batchSize, '--batch-size', 1, 65_536);
  const opened = await findModel(model, options.repository);
  const source = await openRows(input, options, [await columnNames(opened)]);
  await checkOutput(input, output);
  const bound = await bindSource(opened, source);
  for (const note of [source.note, bound.note]) if (note !== undefined) terminal.note(note);
  // The result of a row has all scores, that of an image only the best ones.
  const labels = bound.kind === 'image' ? bound.labels && [] : bound.labels;
  const format = resultFormat(output, {
    labels,
    outputs: bound.outputs,
    areProbabilities: bound.areProbabilities,
    isFolder: source.kind === 'folder',
    safeCells: options.safeCells === true,
  });
  const unlock = await lockOutput(output);
  try {
    const journal = await openJournal(
      output,
      {
        model: `${opened.title} (${opened.reference.name}/${opened.reference.version})`,
        input: resolve(input),
        inputIdentity: source.identity,
        modelFiles: await hashFiles(opened),
        format: format.name,
      },
      { force: options.force === true, format },
    );
    const runner = createRowRunner(opened.app.inference, opened.reference, bound);
    await run({ source, kind: bound.kind, runner, format, batchSize, output, journal }, terminal);
  } finally {
    await unlock();
    await opened.app.close();
  }
}

/** @throws CommandError before anything is written, if the output is not possible or would replace the input */
async function checkOutput(input: string, output: string): Promise<void> {
  const folder = await stat(dirname(output)).catch(() => undefined);
  if (!folder?.isDirectory()) {
    throw new CommandError(`There is no folder ${JSON.stringify(dirname(output))} for the output.`, 2);
  }
  const [from, to] = [await stat(input), await stat(output).catch(() => undefined)];
  if (to?.isDirectory()) throw new CommandError(`The output ${JSON.stringify(output)} is a folder.`, 2);
  if (to && to.ino === from.ino && to.dev === from.dev) {
    throw new CommandError('The output is the input: name another file.', 2);
  }
}

/** Changes when another model is published under the same path or name, or in another repository. */
async function hashFiles({ store, reference: { name, version } }: FoundModel): Promise<string> {
  const hash = createHash('sha256').update(store.url);
  for (const file of await store.list(`${name}/${version}`)) hash.update(`\n${file.path} ${file.etag}`);
  return hash.digest('hex');
}

interface Work {
  readonly source: RowSource;
  readonly kind: InputKind;
  readonly runner: RowRunner;
  readonly format: ResultFormat;
  readonly batchSize: number;
  readonly output: string;
  readonly journal: Journal;
}

async function run(work: Work, terminal: Console): Promise<void> {
  const { output, journal } = work;
  const skip = journal.rowsDone;
  if (skip > 0) terminal.note(`Resuming after row ${skip}.`);
  const { rows, bad, isStopped } = await writeAll(work, terminal);
  const result = { output, rows, bad, resumed_at: skip, stopped: isStopped };
  if (isStopped) {
    terminal.note(`Stopped after row ${rows}; the same command resumes from there.`);
    if (terminal.isJson) terminal.result(result, () => '');
    process.exitCode = 130;
    return;
  }
  await journal.finish();
  terminal.result(result, () => {
    const badOnes = rows === 1 ? `, ${bad}` : `, ${bad === 0 ? 'none' : bad} of them`;
    return `${output}: ${countOf(rows, 'row')}${rows > 0 ? `${badOnes} bad` : ''}`;
  });
  if (bad > 0) process.exitCode = 3;
}

/**
 * Ends early at a signal: what is written is complete, and the same command resumes from there.
 *
 * @returns the rows in the output, including those of earlier runs
 */
async function writeAll(work: Work, terminal: Console): Promise<Counts & { readonly isStopped: boolean }> {
  const { source, runner, format, output, journal } = work;
  const stream = createWriteStream(output, { flags: 'a' });
  // The write that fails throws the error; without a listener it would also end the process.
  stream.on('error', () => undefined);
  const write = (text: string) =>
    new Promise<void>((done, fail) => stream.write(text, (error) => (error ? fail(error) : done())));
  const stop = listenForStop();
  const progress = createProgress(source.total, terminal);
  const counts: Counts = { rows: 0, bad: 0 };
  try {
    if (!journal.hasHeader && format.header !== '') await write(format.header);
    for await (const rows of inBatches(source.rows(journal.rowsDone), work.batchSize, work.kind)) {
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
  return {
    rows: journal.rowsDone + counts.rows,
    bad: journal.badDone + counts.bad,
    isStopped: stop.isAsked(),
  };
}

/** The first signal takes effect when the rows that are running are written. */
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
