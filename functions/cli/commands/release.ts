import type { Traffic } from '../../../shared/models/serving.ts';
import {
  annotate,
  archive as archiveVersion,
  forget,
  liveVersionOf,
  type Notes,
  removeAlias,
  rollBack,
  type Split,
  setAlias,
  split as splitTraffic,
  unarchive,
} from '../../../shared/releases/changes.ts';
import { encodeServing } from '../../../shared/releases/encode-serving.ts';
import type { Release } from '../../../shared/releases/state.ts';
import { updateIndex } from '../../../shared/releases/update-index.ts';
import { CommandError, type Console } from '../console.ts';
import { type ChangeOptions, changeModel, type OpenedModel, openModel } from '../release/change-model.ts';
import { describeAliases, describeServing } from '../release/describe-serving.ts';
import { countOf } from '../words.ts';

export interface AliasOptions extends ChangeOptions {
  readonly remove?: boolean;
}

/** `ternion alias`: lets a name stand for a version, or lists such names. */
export async function alias(
  model: string,
  name: string | undefined,
  version: string | undefined,
  options: AliasOptions,
  output: Console,
): Promise<void> {
  const opened = await openModel(options.repository, model, output);
  if (name === undefined) {
    const { serving } = opened.current;
    return output.result({ model, aliases: serving.aliases }, () => describeAliases(serving) || 'no aliases');
  }
  if ((version === undefined) !== (options.remove === true))
    throw new CommandError('Give the version that the alias stands for, or --remove.', 2);
  const action = version === undefined ? `alias ${name} --remove` : `alias ${name} ${version}`;
  const release = await changeModel(opened, action, options, (current) =>
    version === undefined
      ? removeAlias(current, opened.known, name)
      : setAlias(current, opened.known, name, version),
  );
  show(opened, release, output);
}

export interface SplitOptions extends ChangeOptions {
  readonly shadow?: readonly string[];
  readonly rule?: readonly string[];
  readonly key?: string;
  readonly clear?: boolean;
}

/** `ternion split`: gives shares of the requests to versions and aliases. */
export async function split(
  model: string,
  shares: readonly string[],
  options: SplitOptions,
  output: Console,
): Promise<void> {
  const opened = await openModel(options.repository, model, output);
  const { shadow = [], rule, key, clear = false } = options;
  if (shares.length + shadow.length === 0 && rule === undefined && key === undefined && !clear)
    throw new CommandError(
      'Give a share such as canary=5, a --shadow, a --rule or a --key, or --clear to send everything to the live version.',
      2,
    );
  const given: Split = {
    shares: readShares(shares),
    shadows: readShares(shadow),
    ...(rule && { rules: rule.map(readRule) }),
    ...(key !== undefined && { key: readKey(key) }),
  };
  const words = [
    ...shares,
    ...shadow.map((each) => `--shadow ${each}`),
    ...(rule ?? []).map((each) => `--rule ${each}`),
    ...(key === undefined ? [] : [`--key ${key}`]),
    ...(clear ? ['--clear'] : []),
  ];
  const release = await changeModel(opened, `split ${words.join(' ')}`, options, (current) => {
    const { traffic, ...serving } = current.serving;
    const from = clear ? { ...current, serving } : current;
    return splitTraffic(from, opened.known, given);
  });
  show(opened, release, output);
}

/** `canary=5` */
function readShares(texts: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    texts.map((text) => {
      const [, target, percent] = /^([^=]+)=(\d{1,3}(?:\.\d{1,2})?)%?$/.exec(text) ?? [];
      if (target === undefined || percent === undefined)
        throw new CommandError(
          `${JSON.stringify(text)} is not a share; write a version or an alias, "=" and percent with at most two decimals, such as canary=2.5.`,
          2,
        );
      return [target, Number(percent)];
    }),
  );
}

const KEY_KINDS = ['header', 'cookie', 'field'] as const;

/** `header:x-user-id` */
function readKey(text: string): Traffic['key'] | null {
  if (text === 'none') return null;
  const [, kind, name] = /^(\w+):(.+)$/.exec(text) ?? [];
  const known = KEY_KINDS.find((each) => each === kind);
  if (known === undefined || name === undefined)
    throw new CommandError(
      `--key ${JSON.stringify(text)} must be header:<name>, cookie:<name>, field:<name> or none.`,
      2,
    );
  if (known === 'header') return { header: name };
  return known === 'cookie' ? { cookie: name } : { field: name };
}

/** `canary={"header.x-country": "CH"}` */
function readRule(text: string): Traffic['rules'][number] {
  const [, target, condition] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  try {
    const when: unknown = JSON.parse(condition ?? '');
    if (target !== undefined && typeof when === 'object' && when !== null && !Array.isArray(when))
      return { target, when: { ...when } };
  } catch {
    // The message below says what is expected.
  }
  throw new CommandError(
    `--rule ${JSON.stringify(text)} must be a version or an alias, "=" and a condition in JSON, such as 'canary={"header.x-country": "CH"}'.`,
    2,
  );
}

export interface ArchiveOptions extends ChangeOptions {
  readonly undo?: boolean;
}

/** `ternion archive`: takes a version out of use, and keeps its files. */
export async function archive(
  model: string,
  version: string,
  options: ArchiveOptions,
  output: Console,
): Promise<void> {
  const opened = await openModel(options.repository, model, output);
  const isUndo = options.undo === true;
  const action = `archive ${version}${isUndo ? ' --undo' : ''}`;
  const release = await changeModel(opened, action, options, (current) =>
    (isUndo ? unarchive : archiveVersion)(current, opened.known, version),
  );
  show(opened, release, output);
}

/**
 * `ternion delete`: removes the files of a version that nothing uses. Its graph is removed last, so that the command can
 * be run again after an interruption.
 */
export async function deleteVersion(
  model: string,
  version: string,
  options: ChangeOptions,
  output: Console,
): Promise<void> {
  const opened = await openModel(options.repository, model, output);
  const { store, known } = opened;
  const release = await changeModel(opened, `delete ${version}`, options, (current) =>
    forget(current, known, version),
  );
  const { removeVersion } = await import('../release/remove-version.ts');
  const files = await removeVersion(store, `${model}/${version}`);
  await updateIndex(store, [model]);
  output.result(
    { model, deleted: version, files, revision: release.revision },
    () => `${model}/${version} is deleted (${countOf(files, 'file')})`,
  );
}

export interface RollbackOptions extends ChangeOptions {
  readonly to?: string;
}

/** `ternion rollback`: serves again what an earlier revision served, as a new revision. */
export async function rollback(model: string, options: RollbackOptions, output: Console): Promise<void> {
  const opened = await openModel(options.repository, model, output);
  const { current, log, known } = opened;
  const to = options.to === undefined ? current.revision - 1 : Number(options.to);
  if (!Number.isSafeInteger(to) || to < 0 || to >= current.revision)
    throw new CommandError(
      `There is no revision to go back to: model "${model}" is at revision ${current.revision}; --to must be a smaller number.`,
    );
  const earlier = await log.stateAt(model, to);
  if (!earlier)
    throw new CommandError(
      `Revision ${to} of model "${model}" cannot be read; "ternion history ${model} --verify" says more.`,
    );
  const release = await changeModel(
    opened,
    `rollback to ${to}`,
    options,
    (state) => rollBack(state, known, { ...earlier, revision: to }),
    current.revision,
  );
  show(opened, release, output);
}

export interface TagOptions extends ChangeOptions {
  readonly description?: string;
  readonly metric?: readonly string[];
  readonly remove?: readonly string[];
}

/** `ternion tag`: notes what people know about a model or a version. */
export async function tag(
  place: string,
  tags: readonly string[],
  options: TagOptions,
  output: Console,
): Promise<void> {
  const [, model = '', version] = /^([^/]+)(?:\/(.+))?$/.exec(place) ?? [];
  const opened = await openModel(options.repository, model, output);
  const { description, metric = [], remove = [] } = options;
  if (metric.length > 0 && version === undefined)
    throw new CommandError(`Metrics belong to a version: write ${model}/<version>.`, 2);
  const notes: Notes = {
    description,
    tags: Object.fromEntries(tags.map((text) => readPair(text, 'a tag', 'team=vision'))),
    removedTags: remove,
    metrics: Object.fromEntries(metric.map(readMetric)),
  };
  const words = [
    ...tags,
    ...metric.map((each) => `--metric ${each}`),
    ...remove.map((each) => `--remove ${each}`),
  ];
  const release = await changeModel(
    opened,
    `tag ${version === undefined ? '' : `${version} `}${words.join(' ')}${description === undefined ? '' : ' --description'}`.trim(),
    options,
    (current) => annotate(current, opened.known, version, notes),
  );
  const { card } = release;
  const about = version === undefined ? card : card.versions[version];
  output.result(
    { model, version, revision: release.revision, description: about?.description, tags: about?.tags ?? {} },
    () =>
      [
        `${place}: ${about?.description ?? 'no description'}`,
        ...Object.entries(about?.tags ?? {}).map(([key, value]) => `  ${key} = ${value}`),
      ].join('\n'),
  );
}

function readPair(text: string, what: string, example: string): [string, string] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined)
    throw new CommandError(`${JSON.stringify(text)} is not ${what}; write it as ${example}.`, 2);
  return [key, value];
}

function readMetric(text: string): [string, number] {
  const [name, value] = readPair(text, 'a metric', 'accuracy=0.97');
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number))
    throw new CommandError(`The metric ${name} is ${JSON.stringify(value)}; expected a number.`, 2);
  return [name, number];
}

/** What is served after a change. */
export function show({ known, current }: OpenedModel, release: Release, output: Console): void {
  const { serving, revision } = release;
  const live = liveVersionOf({ ...current, serving }, known);
  output.result({ model: known.model, revision, ...encodeServing(serving, live) }, () =>
    [
      `${known.model}, revision ${revision}: ${describeServing(serving, live)}`,
      ...(describeAliases(serving) ? [`aliases: ${describeAliases(serving)}`] : []),
      ...(serving.archived.length > 0 ? [`archived: ${serving.archived.join(', ')}`] : []),
    ].join('\n'),
  );
}
