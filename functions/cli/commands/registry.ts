import { listVersions } from '../../../shared/models/publish-files.ts';
import { compareVersions } from '../../../shared/models/versions.ts';
import { liveVersionOf } from '../../../shared/releases/changes.ts';
import { encodeServing } from '../../../shared/releases/encode-serving.ts';
import { type HeldBack, readHeldBack } from '../../../shared/releases/held-back.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { updateIndex } from '../../../shared/releases/update-index.ts';
import { CommandError, type Console } from '../console.ts';
import { openRepository } from '../open-repository.ts';
import { listModels } from '../publish/copy-repository.ts';
import { openModel } from '../release/change-model.ts';
import { describeAliases, describeServing } from '../release/describe-serving.ts';
import { metricsOf } from '../release/metrics-of.ts';

export interface RegistryOptions {
  readonly repository: string;
}

/** `ternion list`: the models of a repository, and what is served of each. */
export async function list({ repository }: RegistryOptions, output: Console): Promise<void> {
  const store = openRepository(repository);
  const log = createReleaseLog(store);
  const models = await Promise.all(
    (await listModels(store)).map(async (model) => {
      const known = { model, versions: await listVersions(store, model) };
      const { serving, card, revision } = await log.read(model);
      const live = liveVersionOf({ serving }, known);
      const versions = [...known.versions].sort(compareVersions);
      return { model, versions, serving, revision, live, name: card.name };
    }),
  );
  const shown = models.filter(({ versions, revision }) => versions.length > 0 || revision > 0);
  output.result(
    shown.map(({ model, versions, serving, revision, live }) => ({
      model,
      versions,
      revision,
      ...encodeServing(serving, live),
    })),
    () =>
      shown
        .map(({ model, versions, serving, live, name }) => {
          const aliases = describeAliases(serving);
          const title = name === undefined ? model : `${model} (${name})`;
          return `${title}  versions ${versions.join(', ') || 'none'}  ${describeServing(serving, live)}${aliases && `  ${aliases}`}`;
        })
        .join('\n') || 'no models',
  );
}

/** `ternion show`: what is known about a model, or about one of its versions. */
export async function show(place: string, { repository }: RegistryOptions, output: Console): Promise<void> {
  const [, model = '', version] = /^([^/]+)(?:\/(.+))?$/.exec(place) ?? [];
  const { known, current, store } = await openModel(repository, model, output);
  const { serving, card, revision, release } = current;
  const live = liveVersionOf(current, known);
  const versions = [...known.versions].sort(compareVersions);
  if (version !== undefined && !versions.includes(version))
    throw new CommandError(
      `Model "${model}" has no version ${JSON.stringify(version.slice(0, 100))}; its versions are: ${versions.join(', ')}.`,
    );
  const about = version === undefined ? card : (card.versions[version] ?? { tags: {}, metrics: {} });
  const metrics = version === undefined ? {} : await metricsOf(store, model, version, current);
  output.result(
    {
      model,
      version,
      versions,
      revision,
      ...encodeServing(serving, live),
      description: about.description,
      tags: about.tags,
      metrics,
      changed: release && { at: release.at, by: release.by, why: release.why, action: release.action },
    },
    () =>
      [
        `${place}${about.description === undefined ? '' : `: ${about.description}`}`,
        ...(version === undefined ? [`versions: ${versions.join(', ')}`] : []),
        `served: ${describeServing(serving, live)}`,
        ...(describeAliases(serving) ? [`aliases: ${describeAliases(serving)}`] : []),
        ...(serving.archived.length > 0 ? [`archived: ${serving.archived.join(', ')}`] : []),
        ...Object.entries(about.tags).map(([key, value]) => `tag ${key} = ${value}`),
        ...Object.entries(metrics).map(([key, value]) => `metric ${key} = ${value}`),
        ...(release
          ? [`revision ${revision}, ${release.at} by ${release.by}: ${release.action}`]
          : ['nothing was released: the highest version is live']),
        `in ${store.url}`,
      ].join('\n'),
  );
}

export interface HistoryOptions extends RegistryOptions {
  readonly verify?: boolean;
}

/** `ternion history`: the changes to a model with what servers noted about them, or what is wrong with their record. */
export async function history(model: string, options: HistoryOptions, output: Console): Promise<void> {
  const store = openRepository(options.repository);
  const log = createReleaseLog(store);
  const releases = await log.history(model);
  const heldBack = await readHeldBack(store, model);
  const flaws = options.verify === true ? await log.verify(model) : [];
  output.result(
    {
      model,
      ...(options.verify === true && {
        verified: flaws.length === 0,
        flaws: flaws.map((flaw) => ({ ...flaw })),
      }),
      history: releases.map(({ revision, at, by, why, action, serving }) => ({
        revision,
        at,
        by,
        why,
        action,
        live: serving.live ?? null,
        held_back: heldBack
          .filter((held) => held.revision === revision)
          .map(({ version, at, instance, reason }) => ({ version, at, instance, reason })),
      })),
    },
    () =>
      [
        ...releases.flatMap(({ revision, at, by, why, action }) => [
          `${revision}  ${at}  ${by}  ${action}${why === '' ? '' : `  (${why})`}`,
          ...heldBack.filter((held) => held.revision === revision).map(describeHeldBack),
        ]),
        ...flaws.map(({ revision, problem }) => `revision ${revision} ${problem}`),
        ...(options.verify === true && flaws.length === 0 ? ['the history is complete and unchanged'] : []),
      ].join('\n') || `nothing was released of ${model}`,
  );
  if (flaws.length > 0) process.exitCode = 1;
}

function describeHeldBack({ version, at, instance, reason }: HeldBack): string {
  return `   ${at}  ${instance} held back ${version}: ${reason}`;
}

/** `ternion index`: reads the folders of a repository again, after files were copied into it by other programs. */
export async function index({ repository }: RegistryOptions, output: Console): Promise<void> {
  const store = openRepository(repository);
  await updateIndex(store);
  output.result({ repository: store.url, indexed: store.localPath === undefined }, () =>
    store.localPath === undefined
      ? `the index of ${store.url} is up to date`
      : `${store.url} is a folder, which needs no index: servers list it`,
  );
}
