import { serveRelease } from '../../../shared/models/released-versions.ts';
import { parseIndex } from '../../../shared/models/repository-index.ts';
import type { Serving } from '../../../shared/models/serving.ts';
import { type Assignment, assign, choosable, type Divided } from '../../../shared/releases/assign.ts';
import { compileCondition } from '../../../shared/releases/conditions.ts';
import type { Release } from '../../../shared/releases/state.ts';
import type { Answer } from './clients.ts';
import type { Released } from './operators.ts';
import type { ProcessLog } from './processes.ts';
import { MODEL, type Read } from './store.ts';

/** What is known of a process: what it has read, and when it had which version in memory. */
export interface Witness extends Omit<ProcessLog, 'heldBack'> {
  readonly reads: readonly Read[];
}

export interface Evidence {
  readonly witnesses: readonly Witness[];
  readonly history: readonly Release[];
  readonly released: Released;
  readonly ttlMs: number;
  /** How much later than after the TTL a process may know a change: it waits for the store for a while. */
  readonly lateMs: number;
}

/** A state that a process knew from one read on. */
interface Known extends Divided {
  readonly fromMs: number;
  readonly revision: number;
}

/** Whether an answer is one that was allowed. */
export interface Verdict {
  readonly violation: string | undefined;
  /** How many different answers were allowed. */
  readonly allowed: number;
  /** The state that it must have been made from; undefined if its process may have known two, or still loaded a version. */
  readonly certain: Known | undefined;
}

/** The time in a log has whole milliseconds. */
const CLOCK_MS = 2;

/** @returns what to hold each answer to */
export async function createCheck(evidence: Evidence): Promise<(answer: Answer) => Verdict> {
  const { history, released, ttlMs, lateMs, witnesses } = evidence;
  const servings = new Map(history.map(({ revision, serving }) => [revision, serving]));
  const states = await Promise.all(
    witnesses.map(async ({ reads }) => await Promise.all(reads.map((read) => readState(read, servings)))),
  );
  /** What must be known at a time: changes before it. */
  const dueMs = (sentMs: number) => {
    const { fromMs, toMs } = released.cut ?? { fromMs: Number.POSITIVE_INFINITY, toMs: 0 };
    const isCut = sentMs > fromMs && sentMs < toMs + ttlMs + lateMs;
    return (isCut ? fromMs : sentMs) - ttlMs - lateMs;
  };

  return (answer) => {
    const { loadedMs } = witnesses[answer.process] ?? { loadedMs: new Map<string, number>() };
    const all = states[answer.process] ?? [];
    const last = all.findLastIndex(({ fromMs }) => fromMs <= answer.answeredMs);
    const latest = Math.max(
      0,
      all.findLastIndex(({ fromMs }) => fromMs <= answer.sentMs),
    );
    // It asks for one state after the other. The answer to a question that it has just asked may be on its way.
    const first = latest > 0 && (all[latest]?.fromMs ?? 0) > answer.sentMs - lateMs ? latest - 1 : latest;
    const places = Array.from({ length: last - first + 1 }, (_, place) => first + place);
    const allowed = new Set(places.flatMap((place) => allowedBy(all, place, answer, loadedMs)).map(nameOf));
    const newest = all[last];
    const blame = (what: string): Verdict => ({
      violation: describe(answer, what, newest),
      allowed: allowed.size,
      certain: undefined,
    });

    if (answer.problem !== undefined) return blame(answer.problem);
    const got = `${answer.version} ${answer.variant} ${answer.sticky}`;
    if (!allowed.has(got)) return blame(`got ${got}; expected ${[...allowed].join(' or ')}`);
    const missed = newest && released.indexedMs.get(newest.revision + 1);
    if (missed !== undefined && missed < dueMs(answer.sentMs))
      return blame(`missed a change ${answer.sentMs - missed} ms ago`);
    const known = places.map((place) => `${all[place]?.revision} ${all[place]?.versions}`);
    const isCertain =
      new Set(known).size === 1 &&
      newest &&
      choosable(newest).every((version) => isIn(loadedMs, version, answer.sentMs));
    return { violation: undefined, allowed: allowed.size, certain: isCertain ? newest : undefined };
  };
}

/** What an answer may be if it was made from one state: the version that was chosen, or another one until that is loaded. */
function allowedBy(
  states: readonly Known[],
  place: number,
  answer: Answer,
  loadedMs: ReadonlyMap<string, number>,
): readonly Assignment[] {
  const state = states[place];
  if (!state) return [];
  const chosen = assignTo(state, answer);
  if (isIn(loadedMs, chosen.version, answer.sentMs)) return [chosen];
  const allowed: Assignment[] = mayBeIn(loadedMs, chosen.version, answer.answeredMs) ? [chosen] : [];
  for (const version of standIns(states, place, loadedMs)) {
    if (mayBeIn(loadedMs, version, answer.answeredMs))
      allowed.push({ version, variant: 'live', sticky: chosen.sticky });
    if (isIn(loadedMs, version, answer.sentMs)) break;
  }
  return allowed;
}

/** The live version, and those that were live before while they were in memory: the first of them that is loaded answers. */
function standIns(
  states: readonly Known[],
  place: number,
  loadedMs: ReadonlyMap<string, number>,
): readonly string[] {
  const versions = [states[place]?.liveVersion ?? ''];
  for (let before = place - 1; before >= 0; before--) {
    const { liveVersion = '' } = states[before] ?? {};
    const untilMs = states[before + 1]?.fromMs ?? 0;
    if (mayBeIn(loadedMs, liveVersion, untilMs)) versions.push(liveVersion);
    // It also needs a request in this time.
    if (isIn(loadedMs, liveVersion, untilMs - REQUEST_MS)) break;
  }
  const { serving } = states[place] ?? {};
  return serving?.warm ? [...versions, serving.warm.version] : versions;
}

/** Each process gets a request within this time. */
const REQUEST_MS = 500;

function isIn(loadedMs: ReadonlyMap<string, number>, version: string, atMs: number): boolean {
  return (loadedMs.get(version) ?? Number.POSITIVE_INFINITY) + CLOCK_MS < atMs;
}

function mayBeIn(loadedMs: ReadonlyMap<string, number>, version: string, atMs: number): boolean {
  return (loadedMs.get(version) ?? Number.POSITIVE_INFINITY) - CLOCK_MS < atMs;
}

function assignTo(state: Known, { requestId, userId, country }: Answer): Assignment {
  const headers: Readonly<Record<string, string | undefined>> = { 'x-user-id': userId, 'x-country': country };
  const facts = { requestId, header: (name: string) => headers[name], field: () => undefined };
  return assign(state, facts, (when) => compileCondition(when)(facts));
}

/** The state in a read. What is served is what the history says of its revision, and not the index. */
async function readState({ atMs, text }: Read, servings: ReadonlyMap<number, Serving>): Promise<Known> {
  const entry = (await parseIndex(text)).get(MODEL);
  if (!entry) throw new Error(`the index lacks ${MODEL}: ${text}`);
  const { versions, revision } = entry;
  const serving = servings.get(revision) ?? { aliases: {}, archived: [] };
  const served = serveRelease({ name: MODEL, versions, liveVersion: versions.at(-1) ?? '' }, serving);
  if (!('versions' in served)) throw new Error(`revision ${revision} cannot be served: ${served.reason}`);
  return { fromMs: atMs, revision, serving, versions: served.versions, liveVersion: served.liveVersion };
}

/** As the headers of an answer say it. */
function nameOf({ version, variant, sticky }: Assignment): string {
  return `${version} ${variant} ${sticky === false ? 'false' : undefined}`;
}

function describe(answer: Answer, what: string, state?: Known): string {
  const { process, userId, country, sentMs, answeredMs } = answer;
  const when = `${new Date(sentMs).toISOString()} + ${answeredMs - sentMs} ms`;
  return `process ${process}, revision ${state?.revision}, ${userId} of ${country}, ${when}: ${what}`;
}
