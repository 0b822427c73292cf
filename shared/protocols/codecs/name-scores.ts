import type { Label } from '../../processing/classification.ts';

/** Scores by label. Label lists can repeat one, as ImageNet's do: its later classes get their index beside it. */
export function nameScores(
  indices: Iterable<number>,
  labels: readonly Label[],
  scores: Float64Array,
): ReadonlyMap<string, number | undefined> {
  const named = new Map<string, number | undefined>();
  for (const index of indices) {
    const label = String(labels[index] ?? index);
    const isRepeated =
      labels.findIndex((other) => String(other) === label) < index && labels[index] !== undefined;
    named.set(isRepeated ? `${label} (${index})` : label, scores[index]);
  }
  return named;
}
