import { predictionObjects } from '../../../shared/answers/prediction-objects.ts';
import { InferenceError } from '../../../shared/errors.ts';
import type { Inference } from '../../../shared/inference/inference.ts';
import type { InferenceOutput } from '../../../shared/inference/output.ts';
import type { ModelReference } from '../../../shared/models/model-reference.ts';
import type { InputKind } from '../../../shared/values/input.ts';

import type { BoundSource } from './bind-source.ts';
import type { InputRow } from './row-source.ts';
import { toInput } from './to-input.ts';
import type { Result } from './write-results.ts';

export interface RowRunner {
  /** Results of rows, in their order. Rows the model does not take have an error. */
  run(rows: readonly InputRow[]): Promise<readonly Result[]>;
}

/** Runs rows through a model in one go. If some of them are wrong, it runs them in halves to find which. */
export function createRowRunner(
  inference: Inference,
  reference: ModelReference,
  { kind, columns }: BoundSource,
): RowRunner {
  async function infer(rows: readonly InputRow[]): Promise<readonly Result[]> {
    const input = toInput(rows, kind, columns);
    const { value } = await inference.use({ reference }, {}, (model) => model.predict(input));
    return pair(rows, value, kind);
  }

  async function run(rows: readonly InputRow[]): Promise<readonly Result[]> {
    const [first] = rows;
    if (!first) return [];
    if (kind === 'tensors' && rows.length > 1) return await halve(rows);
    try {
      return await infer(rows);
    } catch (error) {
      if (!(error instanceof InferenceError) || error.status >= 500) throw error;
      return rows.length === 1 ? [{ row: first, error: error.message }] : await halve(rows);
    }
  }

  async function halve(rows: readonly InputRow[]): Promise<readonly Result[]> {
    const middle = Math.ceil(rows.length / 2);
    return [...(await run(rows.slice(0, middle))), ...(await run(rows.slice(middle)))];
  }

  return {
    run: async (rows) => {
      const results = await run(rows.filter(({ problem }) => problem === undefined));
      const byRow = new Map(results.map((result) => [result.row, result]));
      return rows.map((row) => byRow.get(row) ?? { row, error: row.problem ?? 'has no result' });
    },
  };
}

function pair(rows: readonly InputRow[], output: InferenceOutput, kind: InputKind): readonly Result[] {
  const predictions = predictionObjects(output, kind);
  return rows.map((row, index) => {
    const prediction = predictions[index];
    if (!prediction) throw new Error(`the model gave no prediction for row ${row.row}`);
    return { row, prediction };
  });
}
