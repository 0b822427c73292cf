import { PARTS } from '../../../shared/models/serving.ts';
import type { Divided } from '../../../shared/releases/assign.ts';

/** How often it may seem that the shares are wrong although they are right, over all counts together. */
const ERROR_RATE = 0.001;

/** A number of requests in one state of the releases, by the variant that answered. */
export interface Phase {
  readonly revision: number;
  readonly state: Divided;
  readonly counts: Map<string, number>;
}

/** The variants that got more or less than their share in one of the phases, beyond what chance explains. */
export function findWrongShares(phases: readonly Phase[]): readonly string[] {
  const tests = phases.flatMap(({ revision, state, counts }) => {
    const requests = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const shares = sharesOf(state);
    return [...shares].map(([variant, share]) => ({
      revision,
      variant,
      share,
      requests,
      count: counts.get(variant) ?? 0,
    }));
  });
  // Each of them may err in two directions.
  const least = ERROR_RATE / tests.length / 2;
  return tests.flatMap(({ revision, variant, share, requests, count }) =>
    tailOf(requests, share, count) < least
      ? `revision ${revision}: ${variant} got ${count} of ${requests} requests; its share is ${share * 100} %`
      : [],
  );
}

/** From 0 to 1, with that of the live version. */
function sharesOf({ serving }: Divided): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  for (const { target, start, end } of serving.traffic?.ranges ?? [])
    shares.set(target, (shares.get(target) ?? 0) + (end - start) / PARTS);
  const others = [...shares.values()].reduce((sum, share) => sum + share, 0);
  return shares.set('live', Math.max(0, 1 - others));
}

/** The probability of a count that is at least as far out in its direction, by the binomial distribution. */
export function tailOf(requests: number, share: number, count: number): number {
  const isLow = count <= requests * share;
  const from = isLow ? 0 : count;
  const to = isLow ? count : requests;
  let sum = 0;
  for (let each = from; each <= to; each++) sum += probabilityOf(requests, share, each);
  return Math.min(1, sum);
}

function probabilityOf(requests: number, share: number, count: number): number {
  if (share === 0 || share === 1) return count === requests * share ? 1 : 0;
  const ways = logFactorial(requests) - logFactorial(count) - logFactorial(requests - count);
  return Math.exp(ways + count * Math.log(share) + (requests - count) * Math.log(1 - share));
}

const LOGS = [0];

function logFactorial(number: number): number {
  for (let next = LOGS.length; next <= number; next++) LOGS.push((LOGS.at(-1) ?? 0) + Math.log(next));
  return LOGS[number] ?? 0;
}
