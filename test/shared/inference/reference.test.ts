import { describe, expect, it } from 'vitest';
import type { ClassificationPrediction } from '../../../shared/inference/output.ts';
import type { JsonValue } from '../../../shared/json/json-value.ts';
import type { InferenceInput } from '../../../shared/values/input.ts';
import { imagesInput, infer, makeInference, rowsInput } from '../../support/make-inference.ts';
import { MODELS } from '../../support/project.ts';
import { readReference } from '../../support/reference-cases.ts';

type Request = Readonly<Record<string, JsonValue>>;

const rowsOf = (requests: readonly Request[]) => rowsInput(requests.map(({ features }) => features ?? null));
const imagesOf = (requests: readonly Request[]) =>
  imagesInput(requests.map(({ image }) => Buffer.from(String(image), 'base64')));

const CASES: readonly [string, string, number, (requests: readonly Request[]) => InferenceInput][] = [
  ['iris', '1', 150, rowsOf],
  ['iris', '2', 150, rowsOf],
  ['digits', '1', 20, imagesOf],
];

describe.each(CASES)('model %s/%s', async (model, version, size, makeInput) => {
  const cases = await readReference(`${model}/${version}`);

  async function classify(requests: readonly Request[]) {
    const { inference } = makeInference(MODELS);
    const { output, reference } = await infer(inference, { model, version, input: makeInput(requests) });
    expect(reference).toEqual({ name: model, version, variant: 'named' });
    if (output.kind !== 'classification') expect.fail(`it gives ${output.kind}`);
    return output;
  }

  it('gives the labels and probabilities of the training framework for every case, sent as one batch', async () => {
    expect(cases).toHaveLength(size);
    const { predictions, labels } = await classify(cases.map(({ request }) => request));
    expect(predictions).toHaveLength(size);
    const labelsGiven = predictions.map(({ label }) => label);
    expect(labelsGiven).toEqual(cases.map(({ expected }) => expected.prediction));
    for (const [index, { expected }] of cases.entries()) {
      const expectedScores = labels.map((label) => expected.probabilities?.[label] ?? Number.NaN);
      expect(largestDifference(predictions[index], expectedScores)).toBeLessThan(1e-5);
    }
  });

  it('gives the same sent one by one', async () => {
    for (const { request, expected } of cases.filter((_, index) => index % 10 === 0)) {
      const { predictions } = await classify([request]);
      expect(predictions.map(({ label }) => label)).toEqual([expected.prediction]);
    }
  });
});

function largestDifference(prediction: ClassificationPrediction | undefined, scores: number[]): number {
  return Math.max(...scores.map((score, index) => Math.abs(score - (prediction?.scores[index] ?? Infinity))));
}
