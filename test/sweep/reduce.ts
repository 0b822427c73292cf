import { DATATYPES } from '../../shared/tensor/datatype.ts';
import type { Tensor } from '../../shared/tensor/tensor.ts';
import { type Feeds, resize } from './conditions.ts';
import type { OpenOptions } from './open-model.ts';
import { ranksOf, type Variant } from './variants.ts';
import { type Ending, LONGEST_RUN_MS, type Watched, watchChild } from './watch-child.ts';

/** A failure in its smallest form, and what it needs. */
export interface Reduced {
  readonly feeds: Feeds;
  readonly ending: Ending;
  readonly signal: string;
  /** The end of the output of the runtime. */
  readonly errors: string;
  /** Whether a model that declares these numbers of axes, each axis of any size, fails too. */
  readonly isOfDeclaredRank: boolean;
  /** Whether it needs a C library that checks each allocation: memory is damaged, but often without a visible effect. */
  readonly needsChecks: boolean;
}

const REPEATS = 3;
const MOST_TRIES: Readonly<Record<Ending, number>> = { crash: 16, hang: 3, memory: 3 };
/** While a hang is made smaller, the process counts as hanging after this time. */
const SHORT_MS = 3_000;

/** Runs a failure alone and makes it smaller as long as it stays. Undefined when it does not come again three times. */
export async function reduce(
  { of, options, feeds: base }: Variant,
  failing: Feeds,
): Promise<Reduced | undefined> {
  const attempt = (
    feeds: Feeds,
    needsChecks: boolean,
    opened: OpenOptions,
    longestRunMs: number,
  ): Promise<Watched> =>
    watchChild(
      {
        units: [{ operator: of.operator, model: of.open(opened), feeds, extent: 'alone' }],
        start: { unit: 0, condition: 0 },
        skip: [],
        hasArena: !needsChecks,
      },
      longestRunMs,
    );
  let needsChecks = false;
  let last = await attempt(failing, needsChecks, options, SHORT_MS);
  if (!last.ending) {
    needsChecks = true;
    last = await attempt(failing, needsChecks, options, SHORT_MS);
  }
  const { ending, signal } = last;
  if (!ending) return undefined;
  const fails = async (feeds: Feeds, opened: OpenOptions, limitMs: number) => {
    last = await attempt(feeds, needsChecks, opened, limitMs);
    return last.ending === ending && last.signal === signal;
  };
  let feeds = failing;
  let tries = MOST_TRIES[ending];
  for (const change of changesOf(failing, base)) {
    const smaller = change(feeds);
    if (!smaller) continue;
    if (tries-- === 0) break;
    if (await fails(smaller, options, SHORT_MS)) feeds = smaller;
  }
  for (let i = 0; i < REPEATS; i++) {
    last = await attempt(feeds, needsChecks, options, LONGEST_RUN_MS);
    if (!last.ending) return undefined;
  }
  const { errors } = last;
  // What fails without the attribute as well is a failure of the sizes.
  const { attribute, ...others } = options;
  if (attribute && (await fails(feeds, others, SHORT_MS))) return undefined;
  const isOfDeclaredRank = await fails(feeds, { ...options, ranks: ranksOf(feeds) }, SHORT_MS);
  return { feeds, ending, signal, errors, isOfDeclaredRank, needsChecks };
}

/** Returns undefined if it would change nothing. */
type Change = (feeds: Feeds) => Feeds | undefined;

/** Ways to make feeds simpler, in the order in which they are tried. */
function changesOf(failing: Feeds, base: Feeds): Change[] {
  const names = [...failing.keys()];
  const changes: Change[] = [];
  for (const size of [1, 2]) changes.push((feeds) => shrinkAll(feeds, size));
  for (const name of names) changes.push(replace(name, () => base.get(name)));
  for (const name of names) changes.push(replace(name, (tensor) => fill(tensor, 1)));
  for (const name of names) changes.push(replace(name, (tensor) => fill(tensor, 0)));
  for (const name of names) {
    for (const axis of base.get(name)?.shape.keys() ?? []) {
      for (const size of [2, 1]) changes.push(replace(name, (tensor) => shrink(tensor, axis, size)));
    }
  }
  return changes;
}

function replace(name: string, make: (tensor: Tensor) => Tensor | undefined): Change {
  return (feeds) => {
    const tensor = feeds.get(name);
    const made = tensor && make(tensor);
    return made && differs(tensor, made) ? new Map([...feeds, [name, made]]) : undefined;
  };
}

function differs(a: Tensor, b: Tensor): boolean {
  return (
    JSON.stringify(a.shape) !== JSON.stringify(b.shape) ||
    a.data.some((value, i) => !Object.is(value, b.data[i]))
  );
}

/** Makes all elements the same; undefined for tensors that are all ones already. */
function fill(tensor: Tensor, value: number): Tensor | undefined {
  if (tensor.data.every((element) => Number(element) === 1)) return undefined;
  const { length } = tensor.data;
  return { ...tensor, data: DATATYPES[tensor.datatype].fromNumbers(new Array<number>(length).fill(value)) };
}

function shrink(tensor: Tensor, axis: number, size: number): Tensor | undefined {
  if ((tensor.shape[axis] ?? 0) <= size) return undefined;
  return resize(
    tensor,
    tensor.shape.map((same, i) => (i === axis ? size : same)),
  );
}

function shrinkAll(feeds: Feeds, size: number): Feeds | undefined {
  const smaller = new Map(
    [...feeds].map(([name, tensor]) => [
      name,
      resize(
        tensor,
        tensor.shape.map((same) => Math.min(same, size)),
      ),
    ]),
  );
  return [...feeds].some(([name, tensor]) => differs(tensor, smaller.get(name) ?? tensor))
    ? smaller
    : undefined;
}
