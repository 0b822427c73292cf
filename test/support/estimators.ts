import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { PROJECT } from './project.ts';

const FOLDER = join(PROJECT, 'test/fixtures/answers');

/** The predictions of an estimator, and the answers of the servers for them. */
export interface EstimatorGolden {
  readonly predict: readonly unknown[];
  readonly probabilities: readonly unknown[] | null;
  /** KServe's first protocol; null for estimators that it has no server for. */
  readonly kserve: readonly unknown[] | null;
  readonly vertex: readonly unknown[] | null;
  /** Sparse rows, and the answer of SageMaker's container for XGBoost to them. */
  readonly libsvm: { readonly rows: string; readonly csv: string } | null;
  /** SageMaker's containers for scikit-learn and XGBoost. */
  readonly sagemaker: { readonly json: unknown; readonly csv: string } | null;
}

interface Golden {
  readonly rows: readonly (readonly number[])[];
  readonly models: Readonly<Record<string, EstimatorGolden>>;
}

/** The estimators of test/fixtures/answers with the answers of their servers. */
export const ESTIMATORS: Golden = JSON.parse(readFileSync(join(FOLDER, 'golden.json'), 'utf8'));

/** The graph that an estimator was exported as. */
export function readEstimator(name: string): Buffer {
  return readFileSync(join(FOLDER, `${name}.onnx`));
}

/**
 * Two answers are the same where numbers differ as float32 does from float64, and all else not at all.
 *
 * @param tolerance how far numbers may be apart: for those above 1 in their own size
 */
export function expectSame(got: unknown, expected: unknown, place = 'answer', tolerance = 5e-5): void {
  if (typeof expected === 'number' && typeof got === 'number') {
    expect(Math.abs(got - expected), place).toBeLessThan(tolerance * Math.max(1, Math.abs(expected)));
  } else if (Array.isArray(expected) && Array.isArray(got)) {
    expect(got.length, place).toBe(expected.length);
    for (const [index, each] of expected.entries())
      expectSame(got[index], each, `${place}[${index}]`, tolerance);
  } else if (isObject(expected) && isObject(got)) {
    expect(Object.keys(got), place).toEqual(Object.keys(expected));
    for (const [key, each] of Object.entries(expected))
      expectSame(got[key], each, `${place}.${key}`, tolerance);
  } else expect(got, place).toEqual(expected);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
