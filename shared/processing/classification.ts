import * as z from 'zod/mini';
import { shortestFloat32 } from '../tensor/float32.ts';
import { type Tensor, toNumbers } from '../tensor/tensor.ts';

/** A class label: text, or the whole number a scikit-learn classifier was trained on. */
export type Label = string | number;

/** The scores of each row of an output tensor: all axes except the first are the classes. */
export function scoreRows(output: Tensor, steps: readonly ScoreStep[]): Float64Array[] {
  const all = toNumbers(output);
  const rows = output.shape[0] ?? 1;
  const classes = rows === 0 ? 0 : all.length / rows;
  if (steps.length === 0 && output.datatype === 'FP32') {
    for (let i = 0; i < all.length; i++) all[i] = shortestFloat32(all[i] ?? 0);
  }
  const scored: Float64Array[] = [];
  for (let row = 0; row < rows; row++) {
    // Views of typed arrays are slow to make, and most requests have one row.
    let scores: Float64Array = rows === 1 ? all : all.subarray(row * classes, (row + 1) * classes);
    for (const { step } of steps) scores = SCORE_STEPS[step](scores);
    scored.push(scores);
  }
  return scored;
}

const SCORE_STEPS: Record<ScoreStep['step'], (scores: Float64Array) => Float64Array> = { softmax, sigmoid };

/** 1 / (1 + exp(-x)) of each score separately, for classes that do not exclude each other. */
export function sigmoid(scores: Float64Array): Float64Array {
  return scores.map((score) => 1 / (1 + Math.exp(-score)));
}

/** exp(x - max) / sum, in float64: the largest score cannot overflow. */
export function softmax(scores: Float64Array): Float64Array {
  let largest = Number.NEGATIVE_INFINITY;
  for (const score of scores) largest = Math.max(largest, score);
  const powers = new Float64Array(scores.length);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    const power = Math.exp((scores[i] ?? 0) - largest);
    powers[i] = power;
    sum += power;
  }
  for (let i = 0; i < powers.length; i++) powers[i] = (powers[i] ?? 0) / sum;
  return powers;
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

/** From this many on, inserting into a short list takes longer than sorting a long one. */
const MOST_INSERTED = 64;

/**
 * Indices of the `k` largest scores, descending, the lower index first among equals; NaN before all, as in `argmax`.
 * The few best of many are found in one pass.
 */
export function topK(scores: Float64Array, k: number): number[] {
  if (k > MOST_INSERTED) {
    return Array.from(scores.keys())
      .sort((a, b) => (isBefore(scores, a, b) ? -1 : 1))
      .slice(0, k);
  }
  const top: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    let at = top.length;
    while (at > 0 && isBefore(scores, i, top[at - 1] ?? 0)) at--;
    if (at === k) continue;
    top.splice(at, 0, i);
    if (top.length > k) top.pop();
  }
  return top;
}

/** Whether the score at one index comes before the score at another. */
function isBefore(scores: Float64Array, a: number, b: number): boolean {
  const first = scores[a] ?? 0;
  const second = scores[b] ?? 0;
  if (first > second) return true;
  if (first < second) return false;
  const isFirstNaN = Number.isNaN(first);
  return isFirstNaN === Number.isNaN(second) ? a < b : isFirstNaN;
}

/** One postprocessing step of a classifier. */
export const scoreStepSchema = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('softmax') }).register(z.globalRegistry, {
    description: 'Turns logits into probabilities, if exactly one class is right.',
  }),
  z.strictObject({ step: z.literal('sigmoid') }).register(z.globalRegistry, {
    description: 'Turns each logit into a probability on its own, if several classes can be right.',
  }),
]);

export type ScoreStep = z.infer<typeof scoreStepSchema>;
