import {
  type Known,
  liveVersionOf,
  promote,
  rollBack,
  type Split,
  setAlias,
  sharesOf,
  split,
  versionNamed,
} from '../../../shared/releases/changes.ts';
import type { Changed, Current } from '../../../shared/releases/release-log.ts';
import type { Release } from '../../../shared/releases/state.ts';
import type { Random } from '../proof.ts';

/** What an operator wants to do. */
export interface Step {
  readonly action: string;
  /** Whether it is made again from the new state if another operator was faster. */
  readonly fitsAny: boolean;
  make(current: Current, known: Known): Changed;
}

const CANARY = 'canary';
const MOST_SHARE = 40;

export function promotion(target: string): Step {
  return {
    action: `promote ${target}`,
    fitsAny: false,
    make: (state, known) => promote(state, known, target),
  };
}

/** A step that the current state allows. */
export function chooseStep(random: Random, current: Current, known: Known): Step {
  const live = liveVersionOf(current, known);
  const others = known.versions.filter((version) => version !== live);
  const version = pick(random, others);
  const canary = versionNamed(current, known, CANARY);
  const kind = random.below(10);
  if (canary === undefined || kind < 2) {
    return {
      action: `alias ${CANARY} ${version}`,
      fitsAny: true,
      make: (state, there) => setAlias(state, there, CANARY, version),
    };
  }
  if (kind < 5) {
    const target = canary !== live && random.below(2) === 0 ? CANARY : version;
    return promotion(target);
  }
  const isLive = (target: string) => versionNamed(current, known, target) === live;
  const wanted = chooseSplit(
    random,
    current,
    [CANARY, version].filter((target) => !isLive(target)),
    isLive,
  );
  return {
    action: `split ${[...(wanted.shares ?? [])].map(([target, share]) => `${target}=${share}`).join(' ')}`,
    fitsAny: false,
    make: (state, there) => split(state, there, wanted),
  };
}

/** Shares that grow and shrink, now and then with other rules and without a key. */
function chooseSplit(
  random: Random,
  { serving }: Current,
  targets: readonly string[],
  isLive: (target: string) => boolean,
): Split {
  const shares = new Map<string, number>();
  let left = 100;
  const give = (target: string, most: number) => {
    const share = Math.min(most, left);
    shares.set(target, share);
    left -= share;
  };
  const grown = pick(random, targets);
  for (const [target, share] of serving.traffic ? sharesOf(serving.traffic) : []) {
    if (target !== grown) give(target, isLive(target) || random.below(3) === 0 ? 0 : share);
  }
  give(grown, 1 + random.below(MOST_SHARE));
  const rules = {
    0: { rules: [] },
    1: { rules: [{ target: CANARY, when: { 'header.x-country': { $in: ['CH', 'AT'] } } }] },
  }[random.below(5)];
  return { shares, key: random.below(6) === 0 ? null : { header: 'x-user-id' }, ...rules };
}

/** Back to what one of the last revisions served. */
export function chooseRollback(random: Random, { revision }: Current, history: readonly Release[]): Step {
  const to = Math.max(1, revision - 1 - random.below(3));
  const earlier = history.find((release) => release.revision === to);
  if (!earlier) throw new Error(`the history lacks revision ${to}`);
  return {
    action: `rollback to ${to}`,
    fitsAny: false,
    make: (state, known) => rollBack(state, known, earlier),
  };
}

function pick(random: Random, names: readonly string[]): string {
  return names[random.below(names.length)] ?? '';
}
