import { CommandError, type Console } from '../console.ts';
import { listOf } from '../model-path.ts';
import { openRepository } from '../open-repository.ts';
import { type CopyReport, copyRepository, listModels } from '../publish/copy-repository.ts';
import { countOf, formatBytes } from '../words.ts';

export interface MirrorOptions {
  readonly repository: string;
}

/** `ternion mirror`: makes another repository like this one, and removes nothing from it. */
export async function mirror(target: string, { repository }: MirrorOptions, output: Console): Promise<void> {
  const from = openRepository(repository);
  const to = openRepository(target);
  if (from.url === to.url) throw isSame(from.url);
  report(await copyRepository(from, to, { restores: false, ...progress(output) }), from.url, to.url, output);
}

/** `ternion restore`: gives a repository back what it has lost, from a mirror. */
export async function restore(
  source: string,
  model: string | undefined,
  { repository }: MirrorOptions,
  output: Console,
): Promise<void> {
  const from = openRepository(source);
  const to = openRepository(repository);
  if (from.url === to.url) throw isSame(from.url);
  const all = await listModels(from);
  if (model !== undefined && !all.includes(model)) {
    const names = listOf(all) || 'none';
    throw new CommandError(
      `The repository ${from.url} has no model ${JSON.stringify(model)}; its models are: ${names}.`,
    );
  }
  const models = model === undefined ? all : [model];
  report(
    await copyRepository(from, to, { models, restores: true, ...progress(output) }),
    from.url,
    to.url,
    output,
  );
}

function isSame(url: string): CommandError {
  return new CommandError(`${url} cannot be copied to itself; name another repository.`, 2);
}

/** Somebody who watches sees each version that is done. */
function progress(output: Console) {
  if (!output.isTerminal) return {};
  return {
    onVersion: (path: string, outcome: string) => {
      if (outcome !== 'there') output.note(`${path}: ${outcome}`);
    },
  };
}

function report(
  { versions, written, failed, files, sizeBytes }: CopyReport,
  from: string,
  to: string,
  output: Console,
): void {
  const { copied, mended, there, taken } = versions;
  if (failed.length + taken.length > 0) process.exitCode = 1;
  output.result(
    { from, to, copied, mended, there, taken, written, failed, files, size_bytes: sizeBytes },
    () =>
      [
        ...failed.map(({ path, error }) => `${path} failed: ${error}`),
        ...(taken.length > 0
          ? [`not copied, because ${to} has other files in its place: ${listOf(taken)}`]
          : []),
        ...(mended.length > 0 ? [`mended: ${listOf(mended)}`] : []),
        ...(written.length > 0 ? [`written: ${listOf(written)}`] : []),
        `${countOf(copied.length, 'version')} copied (${countOf(files, 'file')}, ${formatBytes(sizeBytes)}), ` +
          `${there.length} there already`,
      ].join('\n'),
  );
}
