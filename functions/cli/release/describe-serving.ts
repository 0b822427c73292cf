import type { Serving } from '../../../shared/models/serving.ts';
import { sharesOf } from '../../../shared/releases/changes.ts';

/** How the requests to a model are divided, in words: `live 2, canary 5 %, shadow 3 10 %`. */
export function describeServing(serving: Serving, live: string | undefined): string {
  const { traffic } = serving;
  const shares = [...sharesOf(traffic ?? { ranges: [] })].map(
    ([target, percent]) => `${target} ${percent} %`,
  );
  const shadows = (traffic?.shadows ?? []).map(({ target, percent }) => `shadow ${target} ${percent} %`);
  const rules = (traffic?.rules ?? []).map(({ target }) => `rule for ${target}`);
  return [`live ${live ?? 'none'}`, ...rules, ...shares, ...shadows].join(', ');
}

/** `canary = 3, champion = 2` */
export function describeAliases({ aliases }: Serving): string {
  return Object.entries(aliases)
    .map(([alias, version]) => `${alias} = ${version}`)
    .join(', ');
}
