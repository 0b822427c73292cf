import { type NumberAttribute, ordinaryAttribute, readNumberAttributes } from './attributes.ts';
import type { SweepCase } from './read-suite.ts';
import { watchChild } from './watch-child.ts';

const UNKNOWN = /Unrecognized attribute/;
const NO_ATTRIBUTE: NumberAttribute = { name: 'ternion_sweep', kind: 'INT', values: undefined };

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
  const units = pairs.map(({ of: { domain, operator, feeds, open }, attribute }) => {
    const change = { domain, operator, name: attribute.name, attribute: ordinaryAttribute(attribute) };
    return { operator, model: open({ attribute: change }), feeds, extent: 'none' as const };
  });
  const unknown = new Set<number>();
  for (let unit = 0; unit < units.length; ) {
    const start = { unit, condition: 0 };
    const { ending, lines } = await watchChild({ units, start, skip: [], hasArena: true });
    for (const line of lines) {
      if (line.startsWith('u ')) unit = Number(line.slice(2));
      if (line.startsWith('refused') && UNKNOWN.test(line)) unknown.add(unit);
    }
    if (!ending) break;
    unit++;
  }
  const known = pairs.filter((_, at) => !unknown.has(at));
  return new Map(
    cases.map((of) => {
      const found = known.filter((pair) => pair.of === of).map(({ attribute }) => attribute);
      const isAny = found.includes(NO_ATTRIBUTE);
      return [of, isAny ? found.filter(({ isOwn }) => isOwn) : found];
    }),
  );
}
