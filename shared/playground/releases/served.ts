import { listOf, membersOf, textOf } from '../parse.ts';

/** A version or an alias, with a share in percent. */
export interface Share {
  readonly target: string;
  readonly percent: number;
}

/** A rule that gives requests to a version or an alias. */
export interface Rule {
  readonly target: string;
  /** What its condition asks for, or the whole condition where it is known. */
  readonly condition: string;
}

/** How the requests to a model are divided. */
export interface Division {
  readonly split: readonly Share[];
  readonly shadows: readonly Share[];
  readonly rules: readonly Rule[];
  /** `header:x-user-id`; undefined if each request is for itself. */
  readonly key: string | undefined;
}

/** What is served of a model, as `GET /models/{model}/releases` says it. */
export interface Served extends Division {
  readonly liveVersion: string;
  /** Those that are served, lowest first. */
  readonly versions: readonly string[];
  readonly aliases: ReadonlyMap<string, string>;
  readonly archived: readonly string[];
  /** The version that was live before and is still in memory. */
  readonly warm: string | undefined;
  readonly heldBack: readonly string[];
  /** Whether the server takes changes. */
  readonly hasRegistry: boolean;
}

/** One change of the history. */
export interface Change extends Division {
  readonly revision: number;
  readonly atMs: number;
  readonly by: string;
  readonly why: string;
  readonly action: string;
  /** Undefined: the highest version. */
  readonly live: string | undefined;
  /** Versions that an instance could not load, with why. */
  readonly heldBack: readonly string[];
}

/** A part of the requests that name no version. */
export interface Part {
  /** `live`, a version or an alias. */
  readonly name: string;
  /** Undefined if the target is not served, so that the live version has its part. */
  readonly version: string | undefined;
  readonly percent: number;
}

/** Reads the answer to `GET /models/{model}/releases`. */
export function parseServed(answer: unknown): Served {
  const members = membersOf(answer);
  return {
    ...parseDivision(members),
    liveVersion: textOf(members.live_version) ?? '',
    versions: textsOf(members.versions),
    aliases: new Map(
      Object.entries(membersOf(members.aliases)).map(([alias, version]) => [alias, String(version)]),
    ),
    archived: textsOf(members.archived),
    warm: textOf(membersOf(members.warm).version),
    heldBack: textsOf(members.held_back),
    hasRegistry: members.registry === true,
  };
}

/** Reads a page of the history: its changes, and where the next page begins. */
export function parseHistory(
  answer: unknown,
): readonly [changes: readonly Change[], next: string | undefined] {
  const { changes, next_page_token: next } = membersOf(answer);
  return [listOf(changes).map(parseChange), textOf(next)];
}

function parseChange(value: unknown): Change {
  const members = membersOf(value);
  return {
    ...parseDivision(members),
    revision: Number(members.revision),
    atMs: Number(members.timestamp),
    by: textOf(members.by) ?? '',
    why: textOf(members.why) ?? '',
    action: textOf(members.action) ?? '',
    live: textOf(members.live),
    heldBack: listOf(members.held_back).map((each) => {
      const { version, reason } = membersOf(each);
      return `${textOf(version) ?? ''} (${textOf(reason) ?? ''})`;
    }),
  };
}

function parseDivision({ split, shadows, rules, key }: Readonly<Record<string, unknown>>): Division {
  return {
    split: parseShares(split),
    shadows: parseShares(shadows),
    rules: listOf(rules).map((rule) => {
      const { target, reads, when } = membersOf(rule);
      return { target: textOf(target) ?? '', condition: textOf(when) ?? textsOf(reads).join(', ') };
    }),
    key: textOf(key),
  };
}

function parseShares(value: unknown): readonly Share[] {
  return Object.entries(membersOf(value)).map(([target, percent]) => ({ target, percent: Number(percent) }));
}

function textsOf(value: unknown): readonly string[] {
  return listOf(value).flatMap((each) => textOf(each) ?? []);
}

/** The version that a target stands for; undefined if it is not served. */
export function versionOf(
  { versions, aliases }: Pick<Served, 'versions' | 'aliases'>,
  target: string,
): string | undefined {
  const version = versions.includes(target) ? target : aliases.get(target);
  return version !== undefined && versions.includes(version) ? version : undefined;
}

/** The parts of the requests that name no version and meet no rule. The first is the rest, which the live version has. */
export function partsOf(served: Served): readonly Part[] {
  const parts = served.split.map(({ target, percent }) => ({
    name: target,
    version: versionOf(served, target),
    percent,
  }));
  const given = parts.reduce((sum, { version, percent }) => sum + (version === undefined ? 0 : percent), 0);
  return [{ name: 'live', version: served.liveVersion, percent: 100 - given }, ...parts];
}

/** `2.5 %`; shares have at most two decimals. */
export function formatShare(percent: number): string {
  return `${Number(percent.toFixed(2))} %`;
}

/** What a change left, in words: `live 2, canary: 5 %`. */
export function describeDivision({ live, split, shadows, rules, heldBack }: Change): string {
  return [
    `live ${live ?? 'the highest'}`,
    ...rules.map(({ target }) => `rule for ${target}`),
    ...split.map(({ target, percent }) => `${target}: ${formatShare(percent)}`),
    ...shadows.map(({ target, percent }) => `shadow ${target}: ${formatShare(percent)}`),
    ...heldBack.map((version) => `held back: ${version}`),
  ].join(', ');
}
