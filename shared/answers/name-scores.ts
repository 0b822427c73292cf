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

/** Label lists can contain a label twice, as ImageNet's do: the later classes also get their index. */
function uniqueNames(labels: readonly Label[]): readonly string[] {
  const found = known.get(labels);
  if (found) return found;
  const seen = new Set<string>();
  const names = labels.map((label, index) => {
    const name = String(label);
    const isRepeated = seen.size === seen.add(name).size;
    return isRepeated ? `${name} (${index})` : name;
  });
  known.set(labels, names);
  return names;
}
