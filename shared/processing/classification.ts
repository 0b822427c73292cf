import { shortestFloat32 } from '../tensor/float32.ts';
import { type Tensor, toNumbers } from '../tensor/tensor.ts';
import type { ScoreStep } from './registry.ts';

/** A class label: text, or the whole number a scikit-learn classifier was trained on. */
export type Label = string | number;

/** The scores of each row of an output tensor: all axes but the first are the classes. */
export function scoreRows(output: Tensor, steps: readonly ScoreStep[]): Float64Array[] {
  const all = toNumbers(output);
  const rows = output.shape[0] ?? 1;
  const classes = rows === 0 ? 0 : all.length / rows;
  const isFloat32 = output.datatype === 'FP32';
  return Array.from({ length: rows }, (_, row) => {
    let scores: Float64Array = all.subarray(row * classes, (row + 1) * classes);
    for (const step of steps) if (step.step === 'softmax') scores = softmax(scores);
    return steps.length === 0 && isFloat32 ? scores.map(shortestFloat32) : scores;
  });
}

/** 1 / (1 + exp(-x)) of each score by itself, for classes that do not exclude each other. */
export function sigmoid(scores: Float64Array): Float64Array {
  return scores.map((score) => 1 / (1 + Math.exp(-score)));
}

/** exp(x - max) / sum, in float64: the largest score cannot overflow. */
export function softmax(scores: Float64Array): Float64Array {
  const largest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Index of the largest score, the first of equals, as NumPy's `argmax`; a NaN wins, as there. */
export function argmax(scores: Float64Array): number {
  let best = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? 0;
    if (Number.isNaN(score)) return i;
    if (score > (scores[best] ?? 0)) best = i;
  }
  return best;
}

/** Indices of the `k` largest scores, descending, the lower index first among equals. One pass, no full sort. */
export function topK(scores: Float64Array, k: number): number[] {
  const top: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? 0;
    if (top.length === k && score <= (scores[top[k - 1] ?? 0] ?? 0)) continue;
    let at = top.length;
    while (at > 0 && score > (scores[top[at - 1] ?? 0] ?? 0)) at--;
    top.splice(at, 0, i);
    if (top.length > k) top.pop();
  }
  return top;
}
