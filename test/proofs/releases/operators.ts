import { setTimeout as wait } from 'node:timers/promises';
import { listVersions } from '../../../shared/models/publish-files.ts';
import { ConflictError, createReleaseLog } from '../../../shared/releases/release-log.ts';
import type { Release } from '../../../shared/releases/state.ts';
import { StoreError } from '../../../shared/stores/model-store.ts';
import type { Random } from '../proof.ts';
import { chooseRollback, chooseStep, promotion, type Step } from './steps.ts';
import { type Damage, MODEL, type ProofStore } from './store.ts';

export interface Plan {
  readonly releases: number;
  /** Each release whose number is a multiple of it is rolled back to an earlier one. */
  readonly rollbackEvery: number;
  /** Before which releases a version is published, and whether it is damaged. */
  readonly published: ReadonlyMap<number, { readonly version: string; readonly damage?: Damage }>;
  /** Before which releases a damaged version is repaired. */
  readonly repaired: ReadonlyMap<number, string>;
  /** Which releases promote a version that chance has not chosen. */
  readonly promoted: ReadonlyMap<number, string>;
  /** The releases that two operators want at once. */
  readonly races: ReadonlySet<number>;
  /** The release during which the store is cut, and for how long. */
  readonly cut: { readonly release: number; readonly ms: number } | undefined;
}

/** What the operators did. */
export interface Released {
  /** All changes that were committed, as their operators saw them. */
  readonly committed: readonly Release[];
  /** By when the index had each revision. */
  readonly indexedMs: ReadonlyMap<number, number>;
  readonly cut: { readonly fromMs: number; readonly toMs: number } | undefined;
  readonly violations: readonly string[];
}

export interface OperatorsOptions {
  readonly plan: Plan;
  readonly store: ProofStore;
  readonly random: Random;
  /** Waits until a release is due. */
  readonly due: (left: number) => Promise<void>;
}

/** Commits releases, one after the other, as the commands do. */
export async function operate({ plan, store: proofStore, random, due }: OperatorsOptions): Promise<Released> {
  const { store } = proofStore;
  const committed: Release[] = [];
  const indexedMs = new Map<number, number>();
  const violations: string[] = [];
  let cut: Released['cut'];

  /** One change, from what the operator sees first to its commit. */
  async function change(by: string, number: number, step?: Step, expected?: number): Promise<Release> {
    const problems: string[] = [];
    const log = createReleaseLog(store, { onProblem: (what) => problems.push(what) });
    const known = { model: MODEL, versions: await listVersions(store, MODEL) };
    const current = await log.read(MODEL);
    const isRollback = number % plan.rollbackEvery === 0 && current.revision > 1;
    const chosen =
      step ??
      (isRollback
        ? chooseRollback(random, current, await log.history(MODEL))
        : chooseStep(random, current, known));
    const release = await log.change(
      MODEL,
      {
        by,
        why: `release ${number} of ${by}`,
        action: chosen.action,
        expected: expected ?? (chosen.fitsAny ? undefined : current.revision),
      },
      (state) => chosen.make(state, known),
    );
    committed.push(release);
    if (problems.length === 0) indexedMs.set(release.revision, Date.now());
    else if (!isCutNow()) violations.push(`release ${number}: ${problems.join('; ')}`);
    return release;
  }

  function promoteIn(number: number): Step | undefined {
    const version = plan.promoted.get(number);
    return version === undefined ? undefined : promotion(version);
  }

  const isCutNow = () => cut !== undefined && cut.toMs === Number.POSITIVE_INFINITY;

  /** Two operators decide for the same revision. One has to win, and the other has to hear of it. */
  async function race(number: number): Promise<void> {
    const known = { model: MODEL, versions: await listVersions(store, MODEL) };
    const current = await createReleaseLog(store).read(MODEL);
    const ends = await Promise.allSettled(
      ['ada', 'bob'].map((by) => change(by, number, chooseStep(random, current, known), current.revision)),
    );
    const won = ends.flatMap((end) => (end.status === 'fulfilled' ? end.value : []));
    const lost = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    const [winner] = won;
    const [loser] = lost;
    const isFair =
      won.length === 1 &&
      loser instanceof ConflictError &&
      loser.winner.id === winner?.id &&
      loser.message.startsWith(`${winner.by} was faster`);
    if (!isFair)
      violations.push(`release ${number}: ${won.length} operators won, the other: ${String(loser)}`);
  }

  /** The store goes away while an operator releases, so nobody knows whether that counts until it is back. */
  async function changeWhileCut(number: number, ms: number): Promise<void> {
    const first = Promise.allSettled([change('ada', number)]);
    await wait(random.below(CUT_WITHIN_MS));
    const fromMs = Date.now();
    cut = { fromMs, toMs: Number.POSITIVE_INFINITY };
    proofStore.cut();
    await first;
    const [during] = await Promise.allSettled([change('bob', number)]);
    if (during?.status !== 'rejected' || !(during.reason instanceof StoreError))
      violations.push(`release ${number}: without a store, a change ended with ${JSON.stringify(during)}`);
    await wait(Math.max(0, fromMs + ms - Date.now()));
    proofStore.mend();
    cut = { fromMs, toMs: Date.now() };
    // The next one who looks repairs what was interrupted.
    const current = await createReleaseLog(store).read(MODEL);
    if (current.release) {
      indexedMs.set(current.revision, indexedMs.get(current.revision) ?? Date.now());
      if (!committed.some(({ id }) => id === current.release?.id)) committed.push(current.release);
    }
    if (current.revision < number) await change('ada', number);
  }

  for (let number = 1; number <= plan.releases; number++) {
    await due(plan.releases - number);
    const published = plan.published.get(number);
    if (published) await proofStore.publish(published.version, published.damage);
    const repaired = plan.repaired.get(number);
    if (repaired !== undefined) proofStore.repair(repaired);
    if (plan.cut?.release === number) await changeWhileCut(number, plan.cut.ms);
    else if (plan.races.has(number)) await race(number);
    else await change(number % 2 === 0 ? 'ada' : 'bob', number, promoteIn(number));
  }
  return {
    committed,
    indexedMs,
    cut,
    violations: [...violations, ...(await checkHistory(proofStore, committed))],
  };
}

/** A release takes about as long. */
const CUT_WITHIN_MS = 40;

/** Each change that was committed must be in the history, in its place, with who made it and why. */
async function checkHistory(
  { store }: ProofStore,
  committed: readonly Release[],
): Promise<readonly string[]> {
  const log = createReleaseLog(store);
  const flaws = (await log.verify(MODEL)).map(({ revision, problem }) => `revision ${revision} ${problem}`);
  const listed = (await log.history(MODEL)).map(describe);
  const expected = committed.toSorted((a, b) => a.revision - b.revision).map(describe);
  const lost = expected.filter((each, place) => listed[place] !== each);
  return [
    ...flaws,
    ...lost.map((each) => `the history lacks ${each}`),
    ...listed.slice(expected.length).map((each) => `nobody knows of ${each}`),
  ];
}

function describe({ revision, id, by, why, action }: Release): string {
  return `revision ${revision} (${id}): ${by}, ${action}, ${why}`;
}
