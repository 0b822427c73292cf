import { describe, expect, it } from 'vitest';
import { writeIndex } from '../../../shared/models/repository-index.ts';
import { type Serving, servingSchema } from '../../../shared/models/serving.ts';
import { partOf } from '../../../shared/releases/hash.ts';
import { createCheck, type Evidence } from './check.ts';
import type { Answer } from './clients.ts';
import { MODEL } from './store.ts';

const START_MS = Date.parse('2026-01-01T00:00:00Z');
const TTL_MS = 1_000;
const VERSIONS = ['1', '2', '3'];

function split(live: string, percent: number): Serving {
  const ranges = [{ target: 'canary', start: 0, end: percent * 100 }];
  return servingSchema.parse({
    live,
    aliases: { canary: '2' },
    traffic: { seed: MODEL, key: { header: 'x-user-id' }, ranges },
  });
}

/** Version 1 is live. Then version 2 gets a quarter, and then version 3 is live and version 2 gets a tenth. */
const SERVINGS = [split('1', 0.01), split('1', 25), split('3', 10)];

/** A process that read the three states at 0, 1000 and 2000 ms, and has each version from some time on. */
async function checkWith(
  loadedMs: Readonly<Record<string, number>>,
  changed: Partial<Evidence['released']> = {},
  servings = SERVINGS,
) {
  const history = servings.map((serving, place) => ({
    model: MODEL,
    revision: place + 1,
    id: String(place),
    at: new Date(START_MS).toISOString(),
    by: 'ada',
    why: '',
    action: 'test',
    previous: '',
    serving,
    card: { tags: {}, versions: {} },
  }));
  const reads = SERVINGS.map((serving, place) => ({
    atMs: START_MS + place * 1_000,
    text: writeIndex(new Map([[MODEL, { versions: VERSIONS, revision: place + 1, serving }]])),
  }));
  const loaded = Object.entries(loadedMs).map(([version, ms]) => [version, START_MS + ms] as const);
  return await createCheck({
    witnesses: [{ reads, loadedMs: new Map(loaded) }],
    history,
    released: { committed: history, indexedMs: new Map(), cut: undefined, violations: [], ...changed },
    ttlMs: TTL_MS,
    lateMs: 100,
  });
}

function answerAt(ms: number, given: Partial<Answer>): Answer {
  return {
    process: 0,
    userId: LIVE_USER,
    isNew: true,
    country: 'FR',
    sentMs: START_MS + ms,
    answeredMs: START_MS + ms + 5,
    problem: undefined,
    requestId: 'r',
    version: '1',
    variant: 'live',
    sticky: undefined,
    ...given,
  };
}

function userIn(from: number, to: number): string {
  const users = Array.from({ length: 10_000 }, (_, number) => `user-${number}`);
  const found = users.find((user) => partOf(MODEL, user) >= from && partOf(MODEL, user) < to);
  if (found === undefined) throw new Error('no user has such a part');
  return found;
}

const LIVE_USER = userIn(2_500, 10_000);
/** Has the canary in the second state alone. */
const MOVING_USER = userIn(1_000, 2_500);
const ALL = { '1': -10_000, '2': -10_000, '3': -10_000 };

describe('an answer', () => {
  it.each([
    ['is right before the split', 500, { userId: MOVING_USER }, true],
    ['is right in the split', 1_500, { userId: MOVING_USER, version: '2', variant: 'canary' }, true],
    ['is of the state before', 1_500, { userId: MOVING_USER }, false],
    ['has the variant of another one', 1_500, { userId: MOVING_USER, version: '2' }, false],
    ['is from the version of others', 1_500, { version: '2', variant: 'canary' }, false],
    ['is of the next state', 1_500, { version: '3' }, false],
    ['says that it is not sticky', 1_500, { sticky: 'false' }, false],
    ['failed', 1_500, { problem: 'is 503' }, false],
    [
      'is of the state that was just replaced',
      2_050,
      { userId: MOVING_USER, version: '2', variant: 'canary' },
      true,
    ],
    [
      'is of the state that was replaced',
      2_150,
      { userId: MOVING_USER, version: '2', variant: 'canary' },
      false,
    ],
  ])('that %s', async (_, ms, given, isAllowed) => {
    const check = await checkWith(ALL);
    expect(check(answerAt(ms, given)).violation === undefined).toBe(isAllowed);
  });

  it('is certain if its process knew one state and had all versions', async () => {
    const check = await checkWith({ ...ALL, '2': 1_300 });
    const certain = [500, 1_050, 1_200, 1_400].map((ms) => check(answerAt(ms, {})).certain?.revision);
    expect(certain).toEqual([undefined, undefined, undefined, 2]);
  });

  it.each([
    ['of the one before until the live one is loaded', 2_300, '1', true],
    ['of the live one before it is loaded', 2_300, '3', false],
    ['of the one before after the live one is loaded', 2_700, '1', false],
    ['of the live one after it is loaded', 2_700, '3', true],
    ['of another one in memory', 2_300, '2', false],
  ])('is that %s', async (_, ms, version, isAllowed) => {
    const check = await checkWith({ ...ALL, '3': 2_500 });
    expect(check(answerAt(ms, { version })).violation === undefined).toBe(isAllowed);
  });

  it('is too late if its process knows a change too late, unless the store was cut', async () => {
    const indexedMs = new Map([[4, START_MS + 2_100]]);
    const late = await checkWith(ALL, { indexedMs });
    const seen = [3_150, 3_250].map((ms) => late(answerAt(ms, { version: '3' })).violation);
    expect(seen).toEqual([undefined, expect.stringContaining('missed a change 1150 ms ago')]);
    const cut = { fromMs: START_MS + 2_150, toMs: START_MS + 5_000 };
    const apart = await checkWith(ALL, { indexedMs, cut });
    const then = [3_250, 6_050, 6_150].map(
      (ms) => apart(answerAt(ms, { version: '3' })).violation === undefined,
    );
    expect(then).toEqual([true, true, false]);
  });

  it('is wrong if the history says something else than the index', async () => {
    const check = await checkWith(
      ALL,
      {},
      [SERVINGS[0], split('1', 5), SERVINGS[2]].flatMap((each) => each ?? []),
    );
    const given = { userId: MOVING_USER, version: '2', variant: 'canary' };
    expect(check(answerAt(1_500, given)).violation).toContain(
      'got 2 canary undefined; expected 1 live undefined',
    );
  });
});
