import { PARTS } from '../models/serving.ts';
import { type Divided, versionOf } from './assign.ts';

/**
 * The share of the requests that each version gets by the ranges, in whole percent that are 100 together. Rules and keys
 * are left out. What is rounded away is the live version's.
 */
export function percentByVersion({ versions, liveVersion, serving }: Divided): ReadonlyMap<string, number> {
  const parts = new Map<string, number>();
  for (const { target, start, end } of serving.traffic?.ranges ?? []) {
    const version = versionOf(target, versions, serving);
    if (version === undefined || version === liveVersion) continue;
    parts.set(version, (parts.get(version) ?? 0) + end - start);
  }
  const shares = [...parts].map(([version, count]) => [version, Math.floor((count * 100) / PARTS)] as const);
  const others = shares.reduce((sum, [, share]) => sum + share, 0);
  const all = [[liveVersion, 100 - others] as const, ...shares];
  return new Map(all.filter(([, share]) => share !== 0));
}
