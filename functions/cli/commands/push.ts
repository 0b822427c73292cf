import { copyVersion } from '../../../shared/models/copy-version.ts';
import { listVersions, placeOf } from '../../../shared/models/publish-files.ts';
import { compareVersions } from '../../../shared/models/versions.ts';
import { type Known, liveVersionOf } from '../../../shared/releases/changes.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { updateIndex } from '../../../shared/releases/update-index.ts';
import type { WritableStore } from '../../../shared/stores/model-store.ts';
import { CommandError, type Console } from '../console.ts';
import { listOf } from '../model-path.ts';
import { openRepository } from '../open-repository.ts';
import { countOf, formatBytes } from '../words.ts';

export interface PushOptions {
  readonly repository: string;
}

/** `ternion push`: copies a published version to another repository, with the same bytes. */
export async function push(
  argument: string,
  target: string,
  { repository }: PushOptions,
  output: Console,
): Promise<void> {
  const from = openRepository(repository);
  const to = openRepository(target);
  const { name, version } = await chooseVersion(from, argument);
  const { outcome, files, sizeBytes } = await copyVersion(from, to, { name, version, mends: false });
  const place = placeOf(to, `${name}/${version}`);
  if (outcome === 'taken') {
    throw new CommandError(
      `${place} is another version than ${placeOf(from, `${name}/${version}`)}, or is not complete; a version never changes, so publish the model under another one.`,
    );
  }
  await updateIndex(to, [name]);
  output.result(
    { model: name, version, path: place, copied: outcome === 'copied', files, size_bytes: sizeBytes },
    () =>
      outcome === 'copied'
        ? `${name}/${version} is in ${place} (${countOf(files, 'file')}, ${formatBytes(sizeBytes)})`
        : `${name}/${version} was in ${place} already`,
  );
}

/** @throws CommandError that lists what there is instead */
async function chooseVersion(
  store: WritableStore,
  argument: string,
): Promise<{ readonly name: string; readonly version: string }> {
  const [, name = '', version, alias] = /^([^/@]+)(?:\/([^/@]+)|@([^/@]+))?$/.exec(argument) ?? [];
  const versions = name === '' ? [] : [...(await listVersions(store, name))].sort(compareVersions);
  const shown = JSON.stringify(argument);
  if (versions.length === 0) throw new CommandError(`The repository ${store.url} has no model ${shown}.`);
  const chosen = version ?? (await released(store, { model: name, versions }, alias));
  if (chosen !== undefined && versions.includes(chosen)) return { name, version: chosen };
  throw new CommandError(
    `The repository ${store.url} has no ${shown}; the versions of ${name} are: ${listOf(versions)}.`,
  );
}

/** The version that an alias stands for, or else the live one. */
async function released(
  store: WritableStore,
  known: Known,
  alias: string | undefined,
): Promise<string | undefined> {
  const current = await createReleaseLog(store).read(known.model);
  if (alias === undefined) return liveVersionOf(current, known);
  const { aliases } = current.serving;
  return Object.hasOwn(aliases, alias) ? aliases[alias] : undefined;
}
