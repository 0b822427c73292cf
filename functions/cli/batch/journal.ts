import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import * as z from 'zod/mini';
import { CommandError } from '../console.ts';
import type { ResultFormat } from './write-results.ts';

/** The model, input and options of a batch. A half-written output is resumed only if all of these are the same. */
const identitySchema = z.strictObject({
  model: z.string(),
  input: z.string(),
  inputIdentity: z.string(),
  /** Changes when the files of the model change. */
  modelFiles: z.string(),
  format: z.string(),
});

export type BatchIdentity = z.infer<typeof identitySchema>;

export interface Journal {
  /** Rows whose results are in the output already. */
  readonly rowsDone: number;
  /** How many of them are bad. */
  readonly badDone: number;
  /** Whether the output begins with its header already; false where the format has none. */
  readonly hasHeader: boolean;
  /** Says that the output is complete. */
  finish(): Promise<void>;
}

/**
 * Finds out how far a batch is. Results are written in the order of the rows, one line each, so the output itself says
 * how many are done; a line that was cut off when the process was killed is removed. While the batch is not finished, a
 * small file beside the output says which model, input and options it has.
 *
 * @throws CommandError when the output exists and is not a half-written one of the same batch
 */
export async function openJournal(
  output: string,
  identity: BatchIdentity,
  { force, format }: { readonly force: boolean; readonly format: ResultFormat },
): Promise<Journal> {
  const path = `${output}.progress`;
  const finish = () => rm(path, { force: true });
  const exists = (await stat(output).catch(() => undefined)) !== undefined;
  if (exists && !force) {
    checkSame(await readIdentity(path), identity, output);
    const { lines, bad } = await dropPartialLine(output, format);
    // The process may have been killed before the header was complete, or between it and the first row.
    const hasHeader = format.header !== '' && lines > 0;
    return { rowsDone: hasHeader ? lines - 1 : lines, badDone: bad, hasHeader, finish };
  }
  // In this order, a process that is killed at any moment leaves nothing that the next run could take for its own
  // start.
  await rm(output, { force: true });
  await writeAtomically(path, JSON.stringify(identity));
  await writeFile(output, '', { flag: 'wx' });
  return { rowsDone: 0, badDone: 0, hasHeader: false, finish };
}

async function readIdentity(path: string): Promise<BatchIdentity | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return identitySchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const WORDS: Readonly<Record<keyof BatchIdentity, string>> = {
  model: 'of another model',
  input: 'of another input',
  inputIdentity: 'of an input that has changed since, or was read with other options',
  modelFiles: 'of a model whose files have changed since',
  format: 'in another format',
};

function checkSame(known: BatchIdentity | undefined, identity: BatchIdentity, output: string): void {
  if (!known) {
    throw new CommandError(`${output} exists already; name another output, or replace it with --force.`);
  }
  const differs = z.keyof(identitySchema).options.find((key) => known[key] !== identity[key]);
  if (differs === undefined) return;
  const values = `${JSON.stringify(known[differs])}, now ${JSON.stringify(identity[differs])}`;
  throw new CommandError(
    `${output} is a half-written batch ${WORDS[differs]} (${values}); name another output, or start again with --force.`,
  );
}

/** Cuts the output after its last whole line. @returns the number of whole lines, and of the bad rows among them */
async function dropPartialLine(
  path: string,
  format: ResultFormat,
): Promise<{ readonly lines: number; readonly bad: number }> {
  let [lines, bad, end] = [0, 0, 0];
  // The earlier chunks of the current line.
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    if (!Buffer.isBuffer(chunk)) throw new Error('a file without an encoding is read as bytes');
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...begun, chunk.subarray(start, at)]).toString();
      const isHeader = lines === 0 && format.header !== '';
      if (!isHeader && format.isBad(line)) bad++;
      lines++;
      end += begunBytes + at + 1 - start;
      start = at + 1;
      [begun, begunBytes] = [[], 0];
    }
    begun.push(chunk.subarray(start));
    begunBytes += chunk.length - start;
  }
  if (begunBytes > 0) await truncate(path, end);
  return { lines, bad };
}

const NEWLINE = 0x0a;

async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
