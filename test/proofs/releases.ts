import { setTimeout as wait } from 'node:timers/promises';
import { createReleaseLog } from '../../shared/releases/release-log.ts';
import type { Proof, Random } from './proof.ts';
import { createCheck, type Verdict } from './releases/check.ts';
import { type Answer, startClients } from './releases/clients.ts';
import { operate, type Plan } from './releases/operators.ts';
import { type ServerProcess, startProcess } from './releases/processes.ts';
import { findWrongShares, type Phase } from './releases/shares.ts';
import { MODEL, openProofStore } from './releases/store.ts';

const PROCESSES = 8;
const REQUESTS = 20_000;
const RELEASES = 50;
/** 10 of them are rolled back. */
const ROLLBACK_EVERY = 5;
const CUT_MS = 30_000;
const TTL_SECONDS = 1;
/** A process waits at most 200 ms for a slow store, and other work on the machine makes it late itself. */
const LATE_MS = 300;
const CLIENTS = 16;
const REQUESTS_PER_SECOND = 200;
/** The share of the requests for which only one answer is right, at least. */
const LEAST_ONLY = 0.8;

interface Size {
  readonly processes: number;
  readonly requests: number;
  readonly plan: Plan;
}

const WHOLE: Size = {
  processes: PROCESSES,
  requests: REQUESTS,
  plan: {
    releases: RELEASES,
    rollbackEvery: ROLLBACK_EVERY,
    published: new Map([
      [6, { version: '4', damage: 'short' }],
      [11, { version: '5' }],
      [21, { version: '6', damage: 'other' }],
      [31, { version: '7', damage: 'other' }],
      [41, { version: '8' }],
    ]),
    repaired: new Map([
      [14, '4'],
      [26, '6'],
    ]),
    // While they are damaged.
    promoted: new Map([
      [7, '4'],
      [23, '6'],
      [33, '7'],
    ]),
    races: new Set([8, 28, 48]),
    cut: { release: 17, ms: CUT_MS },
  },
};

/** It is enough to see that something is wrong. */
const CONTROL: Size = {
  processes: 2,
  requests: 800,
  plan: {
    releases: 5,
    rollbackEvery: 5,
    published: new Map(),
    repaired: new Map(),
    promoted: new Map(),
    races: new Set(),
    cut: undefined,
  },
};

/**
 * Operators release versions while clients send requests to several processes. From what each process has read, and
 * when it had which version in memory, each answer is computed again.
 */
export const releases: Proof = {
  name: 'releases',
  guarantee:
    'While versions are released, rolled back, damaged and repaired, and while the store is out, no request fails. Each answer is from the version that the releases gave its client at that moment, one `RELEASE_TTL_SECONDS` before, or when the store was last there. The history has each change.',
  control: 'one of the servers does not follow releases',
  run: async (random, isBroken) => {
    const { answers, verdicts, violations, heldBack } = await simulate(
      random,
      isBroken ? CONTROL : WHOLE,
      isBroken,
    );
    const only = verdicts.filter(({ allowed }) => allowed === 1).length;
    // Otherwise it would show little.
    if (!isBroken && (only < answers.length * LEAST_ONLY || heldBack === 0))
      throw new Error(
        `${only} of ${answers.length} answers had no other choice, ${heldBack} versions were held back`,
      );
    return { tried: answers.length, violations };
  },
};

async function simulate(random: Random, { processes: count, requests, plan }: Size, isBroken: boolean) {
  const store = await openProofStore();
  const processes: ServerProcess[] = [];
  try {
    for (const version of ['1', '2', '3']) await store.publish(version);
    const names = Array.from({ length: count }, (_, number) => `process-${number}`);
    await Promise.all(
      names.map(async (name, number) => {
        processes[number] = await startProcess({
          ...store.environmentOf(name),
          RELEASE_TTL_SECONDS: String(isBroken && number === 0 ? 3600 : TTL_SECONDS),
        });
      }),
    );
    const clients = startClients({
      urls: processes.map(({ url }) => url),
      requests,
      count: CLIENTS,
      perSecond: REQUESTS_PER_SECOND,
      random,
    });
    /** Releases come at different intervals, until all requests are sent. */
    const due = async (left: number) => {
      const sent = clients.sent();
      const at = sent + ((requests - sent) / (left + 2)) * (0.4 + 1.2 * random.next());
      while (clients.sent() < at) await wait(POLL_MS);
    };
    const released = await operate({ plan, store, random, due });
    const answers = await clients.done;
    const logs = await Promise.all(processes.map(({ stop }) => stop()));
    const check = await createCheck({
      witnesses: logs.map(({ loadedMs }, number) => ({
        loadedMs,
        reads: store.readsOf(names[number] ?? ''),
      })),
      history: await createReleaseLog(store.store).history(MODEL),
      released,
      ttlMs: TTL_SECONDS * 1000,
      lateMs: LATE_MS,
    });
    const verdicts = answers.map(check);
    const violations = [
      ...verdicts.flatMap(({ violation }) => violation ?? []),
      ...released.violations,
      ...findWrongShares(phasesOf(answers, verdicts)),
    ];
    const heldBack = new Set(logs.flatMap((log) => [...log.heldBack])).size;
    return { answers, verdicts, violations, heldBack };
  } finally {
    await Promise.all(processes.map(({ stop }) => stop()));
    await store.close();
  }
}

const POLL_MS = 5;

/** How often each variant answered in each state, by the answers to clients that came once and met no rule. */
function phasesOf(answers: readonly Answer[], verdicts: readonly Verdict[]): readonly Phase[] {
  const phases = new Map<number, Phase>();
  for (const [place, { isNew, country, variant }] of answers.entries()) {
    const state = verdicts[place]?.certain;
    const hasRule = state?.serving.traffic?.rules.length ? RULE_COUNTRIES.includes(country) : false;
    if (!state || !isNew || hasRule) continue;
    const phase = phases.get(state.revision) ?? { revision: state.revision, state, counts: new Map() };
    phases.set(state.revision, phase);
    phase.counts.set(variant, (phase.counts.get(variant) ?? 0) + 1);
  }
  return [...phases.values()];
}

const RULE_COUNTRIES = ['AT', 'CH'];
