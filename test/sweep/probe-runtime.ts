import { type NumberAttribute, ordinaryAttribute, readNumberAttributes } from './attributes.ts';
import type { OpenOptions } from './open-model.ts';
import type { SweepCase } from './read-suite.ts';
import { OPSETS } from './variants.ts';
import { watchChild } from './watch-child.ts';

interface Model {
  readonly of: SweepCase;
  readonly options: OpenOptions;
}

const UNKNOWN = /Unrecognized attribute/;
const NO_ATTRIBUTE: NumberAttribute = { name: 'ternion_sweep', kind: 'INT', values: undefined };

/**
 * The cases in operator sets in which the runtime has their operators: their own, or the newest before it, as it lacks the
 * last versions of some. Those that it loads come first, as the first of an operator gets the most variants.
 */
export async function adaptCases(cases: readonly SweepCase[]): Promise<SweepCase[]> {
  const refusals = await loadAll(cases.map((of) => ({ of, options: {} })));
  const olderOf = ({ domain, opset }: SweepCase) =>
    domain === '' ? OPSETS.filter((older) => older < opset) : [];
  const older = cases
    .filter((_, at) => refusals[at] !== undefined)
    .flatMap((of) => olderOf(of).map((opset) => ({ of, options: { opset } })));
  const refusalsOfOlder = await loadAll(older);
  const loaded: SweepCase[] = [];
  const refused: SweepCase[] = [];
  for (const [at, of] of cases.entries()) {
    const other = older.find((model, place) => model.of === of && refusalsOfOlder[place] === undefined);
    if (refusals[at] === undefined) loaded.push(of);
    else if (other) {
      const { opset } = other.options;
      loaded.push({ ...of, opset, open: (options) => of.open({ opset, ...options }) });
    } else refused.push(of);
  }
  return [...loaded, ...refused];
}

/**
 * Of all attributes that there are, those that the runtime knows for the node of a case and that the case leaves out. Of
 * an operator for which it takes any name, those of its own operators.
 */
export async function findLeftOut(
  cases: readonly SweepCase[],
  all: readonly NumberAttribute[],
): Promise<ReadonlyMap<SweepCase, readonly NumberAttribute[]>> {
  const pairs = cases.flatMap((of) => {
    const present = new Set(readNumberAttributes(of).map(({ name }) => name));
    const others = all.filter(({ name }) => !present.has(name));
    return [NO_ATTRIBUTE, ...others].map((attribute) => ({ of, attribute }));
  });
  const refusals = await loadAll(
    pairs.map(({ of, attribute }) => {
      const { domain, operator } = of;
      const change = { domain, operator, name: attribute.name, attribute: ordinaryAttribute(attribute) };
      return { of, options: { attribute: change } };
    }),
  );
  const known = pairs.filter((_, at) => !UNKNOWN.test(refusals[at] ?? ''));
  return new Map(
    cases.map((of) => {
      const found = known.filter((pair) => pair.of === of).map(({ attribute }) => attribute);
      const isAny = found.includes(NO_ATTRIBUTE);
      return [of, isAny ? found.filter(({ isOwn }) => isOwn) : found];
    }),
  );
}

/** What the runtime says of each model that it does not load; undefined of others, and of those that end the process. */
async function loadAll(models: readonly Model[]): Promise<(string | undefined)[]> {
  const units = models.map(({ of: { operator, feeds, open }, options }) => ({
    operator,
    model: open(options),
    feeds,
    extent: 'none' as const,
  }));
  const refusals = units.map((): string | undefined => undefined);
  for (let unit = 0; unit < units.length; ) {
    const start = { unit, condition: 0 };
    const { ending, lines } = await watchChild({ units, start, skip: [], hasArena: true });
    for (const line of lines) {
      if (line.startsWith('u ')) unit = Number(line.slice('u '.length));
      if (line.startsWith('refused')) refusals[unit] = line;
    }
    if (!ending) break;
    unit++;
  }
  return refusals;
}
