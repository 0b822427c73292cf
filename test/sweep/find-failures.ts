import { type Condition, conditionsOf, EQUAL_SIZES, type Extent } from './conditions.ts';
import type { Variant } from './variants.ts';
import { type Ending, type Watched, watchChild } from './watch-child.ts';

export interface Failure {
  readonly variant: Variant;
  readonly ending: Ending;
  readonly signal: string;
  readonly errors: string;
  /** Undefined where the model was being loaded. */
  readonly condition: Condition | undefined;
}

/** The results of the runs of one operator. */
export interface Tally {
  readonly domain: string;
  readonly operator: string;
  ok: number;
  refused: number;
  /** Variants that the runtime did not load, and what it said of the first of them. */
  notLoaded: number;
  refusal: string;
  loaded: number;
  readonly failures: Failure[];
}

const BATCH = 40;
/** These have few conditions. */
const BATCH_OF_ATTRIBUTES = 200;
/** How often a group of conditions may end the process before it is skipped: a hang takes its whole time limit. */
const MOST_OF_GROUP: Readonly<Record<Ending, number>> = { crash: 2, hang: 1, memory: 1 };
/** The same of one attribute, whose numbers differ more than what is fed. */
const MOST_OF_ATTRIBUTE: Readonly<Record<Ending, number>> = { crash: 3, hang: 2, memory: 3 };

/** The cost of a failure: starting a process, time until the limit, memory that is filled. */
const COST: Readonly<Record<Ending, number>> = { crash: 1, hang: 8, memory: 4 };
/** In a batch a run counts as a hang earlier; the whole limit is for those that are run alone. */
const SUSPECTED_HANG_MS = 4_000;

/** What the failures of an operator in one kind of variant may cost. */
const LARGEST_COST: Readonly<Record<Variant['kind'], number>> = {
  'open shapes': 24,
  'constant weights': 12,
  'input left out': 2,
  'other type': 4,
  'older operator set': 4,
  attributes: 24,
};
/** How much of the feeds is changed. The mistakes of a kernel show in the first forms of its operator. */
const EXTENTS: Readonly<Record<Variant['kind'], Extent>> = {
  'open shapes': 'whole',
  'constant weights': 'whole',
  'input left out': 'brief',
  'other type': 'brief',
  'older operator set': 'brief',
  attributes: 'sizes',
};

/** Runs all conditions of the variants, one child after the other. */
export async function findFailures(
  variants: readonly Variant[],
  say: (line: string) => void,
): Promise<Tally[]> {
  const tallies = new Map<string, Tally>();
  const seen = new Map<string, number>();
  const skip = new Set<string>();
  const costs = new Map<string, number>();
  /** Operators that fail by sizes with any attributes: their attributes are tried without changed sizes. */
  const failBySizes = new Set<string>();
  const isEnough = (variant: Variant) => (costs.get(keyOf(variant)) ?? 0) >= LARGEST_COST[variant.kind];
  for (let first = 0; first < variants.length; ) {
    const size = variants[first]?.kind === 'attributes' ? BATCH_OF_ATTRIBUTES : BATCH;
    await runBatch(variants.slice(first, first + size).filter((variant) => !isEnough(variant)));
    first += size;
    const all = [...tallies.values()];
    const total = (count: (tally: Tally) => number) => all.reduce((sum, tally) => sum + count(tally), 0);
    say(
      `${Math.min(first, variants.length)} of ${variants.length}: ok ${total(({ ok }) => ok)}, ` +
        `refused ${total(({ refused }) => refused)}, failures ${total((tally) => tally.failures.length)}`,
    );
  }
  return [...tallies.values()];

  async function runBatch(batch: readonly Variant[]): Promise<void> {
    let start = { unit: 0, condition: 0 };
    while (start.unit < batch.length) {
      const next = batch[start.unit];
      if (next && isEnough(next)) {
        start = { unit: start.unit + 1, condition: 0 };
        continue;
      }
      const units = batch.map((variant) => ({
        operator: keyOf(variant),
        model: variant.of.open(variant.options),
        feeds: variant.feeds,
        extent: extentOf(variant),
      }));
      const sizes = batch.filter(
        (variant) => variant.kind === 'attributes' && failBySizes.has(operatorOf(variant)),
      );
      const skipped = [...skip, ...sizes.map((variant) => `${keyOf(variant)}|${EQUAL_SIZES}`)];
      const watched = await watchChild({ units, start, skip: skipped, hasArena: false }, SUSPECTED_HANG_MS);
      const at = count(watched, batch, start.unit);
      const variant = batch[at.unit];
      if (!watched.ending || !variant) return;
      const condition = at.condition < 0 ? undefined : conditionAt(variant, at.condition);
      const { ending, signal, errors } = watched;
      tallyOf(variant).failures.push({ variant, ending, signal, errors, condition });
      say(`${ending} ${signal}: ${variant.of.name}, ${variant.text}, ${condition?.text ?? 'load'}`);
      const group = `${keyOf(variant)}|${condition?.group ?? 'load'}`;
      const times = (seen.get(`${group}|${ending}`) ?? 0) + 1;
      seen.set(`${group}|${ending}`, times);
      const most = variant.kind === 'attributes' ? MOST_OF_ATTRIBUTE : MOST_OF_GROUP;
      if (times >= most[ending]) skip.add(group);
      if (condition?.group === EQUAL_SIZES && variant.kind !== 'attributes')
        failBySizes.add(operatorOf(variant));
      costs.set(keyOf(variant), (costs.get(keyOf(variant)) ?? 0) + COST[ending]);
      start =
        at.condition < 0 || isEnough(variant)
          ? { unit: at.unit + 1, condition: 0 }
          : { unit: at.unit, condition: at.condition + 1 };
    }
  }

  function tallyOf({ of: { domain, operator } }: Variant): Tally {
    const key = `${domain} ${operator}`;
    const tally = tallies.get(key) ?? {
      domain,
      operator,
      ok: 0,
      refused: 0,
      notLoaded: 0,
      refusal: '',
      loaded: 0,
      failures: [],
    };
    tallies.set(key, tally);
    return tally;
  }

  /** Counts the reports of the child, and returns the place where it ended. */
  function count(
    watched: Watched,
    batch: readonly Variant[],
    firstUnit: number,
  ): { unit: number; condition: number } {
    let unit = firstUnit;
    let condition = -1;
    // Runs of the current model; those of a model whose run ended the process count too.
    let counts = { ok: 0, refused: 0 };
    for (const line of watched.lines) {
      const [word, first, second, third] = line.split(' ');
      const variant = batch[unit];
      const tally = variant && tallyOf(variant);
      if (word === 'u') {
        unit = Number(first);
        condition = -1;
      } else if (word === 'r') {
        condition = Number(first);
        counts = { ok: Number(second), refused: Number(third) };
      } else if (word === 'ok' && tally) {
        tally.ok += Number(first);
        tally.refused += Number(second);
        counts = { ok: 0, refused: 0 };
      } else if (word === 'loaded' && tally) tally.loaded++;
      else if (word === 'refused' && tally) {
        tally.notLoaded++;
        tally.refusal ||= line.slice('refused '.length);
      }
    }
    const variant = batch[unit];
    if (variant) {
      tallyOf(variant).ok += counts.ok;
      tallyOf(variant).refused += counts.refused;
    }
    return { unit, condition };
  }
}

export function extentOf({ kind }: Variant): Extent {
  return EXTENTS[kind];
}

function keyOf(variant: Variant): string {
  const { attribute, without } = variant.options;
  return [operatorOf(variant), variant.kind, attribute?.name ?? without ?? ''].join('|');
}

function operatorOf({ of: { domain, operator, label = '' } }: Variant): string {
  return [domain, operator, label].join(' ');
}

function conditionAt(variant: Variant, index: number): Condition | undefined {
  let at = 0;
  for (const condition of conditionsOf(variant.feeds, extentOf(variant)))
    if (at++ === index) return condition;
  return undefined;
}
