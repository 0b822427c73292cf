import type { WritableJson } from '../json/write-json.ts';
import type { Label } from '../processing/classification.ts';

/** Scores by label. */
export function nameScores(
  indices: Iterable<number>,
  labels: readonly Label[],
  scores: Float64Array,
  write: (score: number | undefined) => WritableJson = (score) => score,
): ReadonlyMap<string, WritableJson> {
  const names = uniqueNames(labels);
  const named = new Map<string, WritableJson>();
  for (const index of indices) named.set(names[index] ?? String(index), write(scores[index]));
  return named;
}

const known = new WeakMap<readonly Label[], readonly string[]>();

/**
 * Label lists can contain a label twice, as ImageNet's do: the later classes also get their index, once more if another
 * label looks like that.
 */
export function uniqueNames(labels: readonly Label[]): readonly string[] {
  const found = known.get(labels);
  if (found) return found;
  const given = new Set(labels.map(String));
  const taken = new Set<string>();
  const names = labels.map((label, index) => {
    let name = String(label);
    while (taken.has(name) || (name !== String(label) && given.has(name))) name += ` (${index})`;
    taken.add(name);
    return name;
  });
  known.set(labels, names);
  return names;
}
