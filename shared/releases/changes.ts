import { LIVE, NAMED } from '../models/model-reference.ts';
import { PARTS, type Serving, type Traffic } from '../models/serving.ts';
import { compareVersions } from '../models/versions.ts';
import { problemOf } from './conditions.ts';
import { reallocate } from './ranges.ts';
import type { Changed, Current } from './release-log.ts';
import type { VersionCard } from './state.ts';

/** A change that the state of a model does not allow; the message says what to do about it. */
export class ChangeError extends Error {
  override readonly name = 'ChangeError';
}

/** A model with the versions that its folder has. */
export interface Known {
  readonly model: string;
  readonly versions: readonly string[];
}

/** How long the version that was live before stays in memory, in seconds. */
export const WARM_SECONDS = 600;

export const EMPTY_VERSION: VersionCard = { tags: {}, metrics: {} };

/** The version that requests get which name none, before any release too; undefined for a model without versions. */
export function liveVersionOf(
  { serving }: Pick<Current, 'serving'>,
  { versions }: Known,
): string | undefined {
  const served = versions.filter((version) => !serving.archived.includes(version));
  return serving.live ?? [...served].sort(compareVersions).at(-1);
}

/** The version that a name stands for: a version, or an alias. */
export function versionNamed(
  { serving }: Pick<Current, 'serving'>,
  { versions }: Known,
  name: string,
): string | undefined {
  if (versions.includes(name)) return name;
  const aliased = Object.hasOwn(serving.aliases, name) ? serving.aliases[name] : undefined;
  return aliased !== undefined && versions.includes(aliased) ? aliased : undefined;
}

/**
 * From the first alias, split or promotion on, a new version is not live until it is released: the version that is live
 * now stays so.
 */
function hold(current: Current, known: Known): Serving {
  const live = liveVersionOf(current, known);
  return live === undefined ? current.serving : { ...current.serving, live };
}

/** @throws ChangeError when there is no such version, or it is archived */
function served(current: Current, known: Known, name: string): string {
  const version = versionNamed(current, known, name);
  if (version === undefined) throw new ChangeError(`${describe(known, name)} ${listNames(current, known)}`);
  if (current.serving.archived.includes(version)) {
    throw new ChangeError(
      `Version ${version} of model "${known.model}" is archived; "ternion archive ${known.model} ${version} --undo" serves it again.`,
    );
  }
  return version;
}

function describe({ model }: Known, name: string): string {
  return `Model "${model}" has no version or alias ${JSON.stringify(name.slice(0, 100))};`;
}

function listNames({ serving }: Current, { versions }: Known): string {
  const aliases = Object.keys(serving.aliases);
  const listed = [...versions].sort(compareVersions).join(', ') || 'none';
  return `its versions are: ${listed}${aliases.length > 0 ? `; its aliases are: ${aliases.join(', ')}` : ''}.`;
}

/**
 * Lets an alias stand for a version.
 *
 * @param target a version, or another alias, whose version it is now
 * @throws ChangeError
 */
export function setAlias(current: Current, known: Known, alias: string, target: string): Changed {
  if (known.versions.includes(alias))
    throw new ChangeError(`Model "${known.model}" has a version ${alias}, so no alias can have this name.`);
  if (alias === LIVE || alias === NAMED) {
    throw new ChangeError(
      `An answer has the variant "${alias}" where no alias decided, so no alias can have this name.`,
    );
  }
  const version = served(current, known, target);
  const serving = hold(current, known);
  return { serving: { ...serving, aliases: { ...serving.aliases, [alias]: version } } };
}

/** @throws ChangeError when there is no such alias, or a split uses it */
export function removeAlias(current: Current, known: Known, alias: string): Changed {
  const { serving } = current;
  if (!Object.hasOwn(serving.aliases, alias)) {
    const listed = Object.keys(serving.aliases).join(', ') || 'none';
    throw new ChangeError(
      `Model "${known.model}" has no alias ${JSON.stringify(alias.slice(0, 100))}; its aliases are: ${listed}.`,
    );
  }
  if (targetsOf(serving).has(alias)) {
    throw new ChangeError(
      `The split of model "${known.model}" uses the alias ${alias}; "ternion split ${known.model} ${alias}=0" takes it out.`,
    );
  }
  const aliases = Object.fromEntries(Object.entries(serving.aliases).filter(([name]) => name !== alias));
  return { serving: { ...serving, aliases } };
}

/** The versions and aliases that a split, a rule or a shadow names. */
function targetsOf({ traffic }: Serving): ReadonlySet<string> {
  const { ranges = [], rules = [], shadows = [] } = traffic ?? {};
  return new Set([...ranges, ...rules, ...shadows].map(({ target }) => target));
}

export interface Split {
  /** Shares of all requests in percent, by version or alias; 0 takes a target out. What is not named stays as it is. */
  readonly shares?: ReadonlyMap<string, number>;
  readonly shadows?: ReadonlyMap<string, number>;
  readonly rules?: Traffic['rules'];
  /** `null`: each request is for itself. */
  readonly key?: Traffic['key'] | null;
}

/**
 * Divides the requests that name no version. The parts of a target only grow or shrink, and it takes them from the live
 * version and gives them back to it.
 *
 * @throws ChangeError
 */
export function split(current: Current, known: Known, wanted: Split): Changed {
  const serving = hold(current, known);
  const traffic: Traffic = serving.traffic ?? { seed: known.model, ranges: [], rules: [], shadows: [] };
  const { live } = serving;
  const shares = sharesOf(traffic);
  for (const [target, percent] of wanted.shares ?? []) {
    if (percent > 0) {
      const version = served(current, known, target);
      if (version === live)
        throw new ChangeError(
          `Version ${version} of model "${known.model}" is live, and gets what no other version gets: give the shares of the others alone.`,
        );
      shares.set(target, percent);
    } else shares.delete(target);
  }
  const shadows = new Map(traffic.shadows.map(({ target, percent }) => [target, percent]));
  for (const [target, percent] of wanted.shadows ?? []) {
    if (percent > 0) {
      served(current, known, target);
      shadows.set(target, percent);
    } else shadows.delete(target);
  }
  for (const { target, when } of wanted.rules ?? []) {
    served(current, known, target);
    const problem = problemOf(when);
    if (problem !== undefined)
      throw new ChangeError(`The rule for ${target} of model "${known.model}" cannot be used: ${problem}.`);
  }
  const key = wanted.key === undefined ? traffic.key : (wanted.key ?? undefined);
  try {
    return {
      serving: {
        ...serving,
        traffic: {
          ...traffic,
          key,
          ranges: [...reallocate(traffic.ranges, shares)],
          rules: wanted.rules ?? traffic.rules,
          shadows: [...shadows].map(([target, percent]) => ({ target, percent })),
        },
      },
    };
  } catch (error) {
    if (error instanceof RangeError) throw new ChangeError(error.message);
    throw error;
  }
}

/** The shares of a split in percent. */
export function sharesOf({ ranges }: Pick<Traffic, 'ranges'>): Map<string, number> {
  const shares = new Map<string, number>();
  for (const { target, start, end } of ranges) shares.set(target, (shares.get(target) ?? 0) + end - start);
  return new Map([...shares].map(([target, parts]) => [target, (parts * 100) / PARTS]));
}

/**
 * Makes a version live. Its own share of the split goes to it as the live version; the version that was live before
 * stays in memory for a while.
 *
 * @param target a version, or an alias of one
 * @throws ChangeError
 */
export function promote(current: Current, known: Known, target: string, warmSeconds = WARM_SECONDS): Changed {
  const version = served(current, known, target);
  const { serving } = current;
  const { traffic } = serving;
  const isPromoted = (name: string) => versionNamed(current, known, name) === version;
  return {
    serving: {
      ...serving,
      live: version,
      traffic: traffic && {
        ...traffic,
        ranges: traffic.ranges.filter((range) => !isPromoted(range.target)),
        shadows: traffic.shadows.filter((shadow) => !isPromoted(shadow.target)),
      },
      warm: keepWarm(current, known, version, warmSeconds),
    },
  };
}

/**
 * Proposes a promotion, which another person has to approve.
 *
 * @throws ChangeError
 */
export function propose(current: Current, known: Known, target: string, by: string, why: string): Changed {
  const version = served(current, known, target);
  return { card: { ...current.card, proposal: { version, by, why } } };
}

/**
 * The state in which a proposed version is promoted: without the proposal.
 *
 * @throws ChangeError when the person who proposed it approves it
 */
export function approve(current: Current, known: Known, target: string, by: string): Current {
  const { proposal, ...card } = current.card;
  if (proposal === undefined || versionNamed(current, known, target) !== proposal.version) return current;
  if (proposal.by === by) {
    throw new ChangeError(
      `${by} has proposed version ${proposal.version} of model "${known.model}"; another person has to approve it.`,
    );
  }
  return { ...current, card };
}

/** The version that is live now, for another one that becomes live. */
function keepWarm(
  current: Current,
  known: Known,
  next: string | undefined,
  seconds: number,
): Serving['warm'] {
  const version = liveVersionOf(current, known);
  return version === undefined || version === next || seconds === 0 ? undefined : { version, seconds };
}

/**
 * Takes a version out of use, and keeps its files.
 *
 * @throws ChangeError when it is used
 */
export function archive(current: Current, known: Known, target: string): Changed {
  const version = served(current, known, target);
  refuseUsed(current, known, version);
  const { serving } = current;
  return { serving: { ...serving, archived: [...serving.archived, version] } };
}

/** Serves an archived version again. */
export function unarchive({ serving }: Current, { model }: Known, version: string): Changed {
  if (!serving.archived.includes(version))
    throw new ChangeError(`Version ${version} of model "${model}" is not archived.`);
  return { serving: { ...serving, archived: serving.archived.filter((each) => each !== version) } };
}

/**
 * Takes a version out of use before its files are removed. It stays archived, so that no server uses what is left of it
 * while they are removed.
 *
 * @throws ChangeError when it is used
 */
export function forget(current: Current, known: Known, version: string): Changed {
  if (!known.versions.includes(version))
    throw new ChangeError(`${describe(known, version)} ${listNames(current, known)}`);
  refuseUsed(current, known, version);
  const { serving, card } = current;
  const others = Object.entries(card.versions).filter(([name]) => name !== version);
  return {
    serving: {
      ...serving,
      archived: [...new Set([...serving.archived, version])],
      warm: serving.warm?.version === version ? undefined : serving.warm,
    },
    card: { ...card, versions: Object.fromEntries(others) },
  };
}

/** @throws ChangeError that says what uses the version */
export function refuseUsed(current: Current, known: Known, version: string): void {
  const { serving } = current;
  const uses: string[] = [];
  if (liveVersionOf(current, known) === version) uses.push('is live');
  const aliases = Object.keys(serving.aliases).filter((alias) => serving.aliases[alias] === version);
  if (aliases.length > 0) uses.push(`has the alias ${aliases.join(', ')}`);
  const targets = [...targetsOf(serving)].filter((name) => versionNamed(current, known, name) === version);
  if (targets.length > 0) uses.push('is in the split');
  if (uses.length === 0) return;
  throw new ChangeError(
    `Version ${version} of model "${known.model}" ${uses.join(', and ')}; it cannot be archived or deleted.`,
  );
}

/**
 * Serves again what an earlier revision served.
 *
 * @throws ChangeError when versions that it needs are gone
 */
export function rollBack(
  current: Current,
  known: Known,
  earlier: Pick<Current, 'serving' | 'revision'>,
): Changed {
  const { serving } = earlier;
  const needed = new Set([
    ...(serving.live === undefined ? [] : [serving.live]),
    ...Object.values(serving.aliases),
    ...[...targetsOf(serving)].filter((target) => !Object.hasOwn(serving.aliases, target)),
  ]);
  const missing = [...needed].filter((version) => !known.versions.includes(version));
  if (missing.length > 0) {
    throw new ChangeError(
      `Revision ${earlier.revision} of model "${known.model}" serves what is not there any more: ${missing.join(', ')}.`,
    );
  }
  // The name stays as clients of the registry know it.
  return {
    serving: {
      ...serving,
      name: current.serving.name,
      warm: keepWarm(current, known, serving.live, WARM_SECONDS),
    },
  };
}

export interface Notes {
  readonly description?: string | undefined;
  readonly tags?: Readonly<Record<string, string>>;
  readonly removedTags?: readonly string[];
  readonly metrics?: Readonly<Record<string, number>>;
}

/**
 * What people know about a model, or about one of its versions.
 *
 * @throws ChangeError when there is no such version
 */
export function annotate(current: Current, known: Known, version: string | undefined, notes: Notes): Changed {
  const { card } = current;
  if (version === undefined) return { card: { ...card, ...annotated(card, notes) } };
  if (!known.versions.includes(version))
    throw new ChangeError(`${describe(known, version)} ${listNames(current, known)}`);
  const about = card.versions[version] ?? EMPTY_VERSION;
  const changed = { ...about, ...annotated(about, notes), metrics: { ...about.metrics, ...notes.metrics } };
  return { card: { ...card, versions: { ...card.versions, [version]: changed } } };
}

function annotated(
  about: Pick<VersionCard, 'description' | 'tags'>,
  { description = about.description, tags, removedTags = [] }: Notes,
): Pick<VersionCard, 'description' | 'tags'> {
  const kept = Object.entries({ ...about.tags, ...tags }).filter(([key]) => !removedTags.includes(key));
  return { description, tags: Object.fromEntries(kept) };
}
