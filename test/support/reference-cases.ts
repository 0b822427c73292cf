import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseReference, type ReferenceCase } from '../../shared/models/reference.ts';
import { MODELS } from './project.ts';

const IRIS_LABELS = ['setosa', 'versicolor', 'virginica'];

/** The cases of a model's reference.json. */
export async function readReference(model: string): Promise<ReferenceCase[]> {
  return await parseReference(readFileSync(join(MODELS, model, 'reference.json'), 'utf8'));
}

/** The reference of an iris model as plain numbers. */
export async function readIrisReference(version: string) {
  const cases = await readReference(`iris/${version}`);
  return {
    rows: cases.map(({ request }) => numbersOf(request.features)),
    labels: cases.map(({ expected }) => String(expected.prediction)),
    probabilities: cases.map(({ expected }) =>
      IRIS_LABELS.map((label) => expected.probabilities?.[label] ?? Number.NaN),
    ),
  };
}

function numbersOf(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}
