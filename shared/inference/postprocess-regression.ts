import { ModelError } from '../models/model-config.ts';
import type { Session } from '../runtime/session.ts';
import { DATATYPES } from '../tensor/datatype.ts';
import { shortestFloat32 } from '../tensor/float32.ts';
import { type Tensor, toNumbers } from '../tensor/tensor.ts';
import { describeMisfit } from './describe-misfit.ts';
import type { Postprocessor } from './task.ts';

/**
 * Reads one number per row, or a list of numbers if the model predicts several.
 *
 * @throws ModelError when it is not clear which output holds the prediction
 */
export function createRegressionPostprocessor(
  session: Session,
  outputName: string | undefined,
): Postprocessor {
  const candidates = session.outputs.filter(({ datatype }) => DATATYPES[datatype].kind === 'float');
  const output = outputName ?? (candidates.length === 1 ? candidates[0]?.name : undefined);
  if (output === undefined || !session.outputs.some(({ name }) => name === output)) {
    const names = session.outputs.map(({ name }) => name).join(', ');
    throw new ModelError(`its model.json must name the "output" that holds the prediction: one of ${names}`);
  }
  return {
    fetches: [output],
    labels: undefined,
    misfit: (outputs, rows) =>
      describeMisfit(outputs, output, rows, `a regressor needs [${rows}] or [${rows},numbers]`),
    postprocess: (outputs) => {
      const tensor = outputs.get(output);
      return { kind: 'regression', predictions: tensor ? readRows(tensor) : [] };
    },
  };
}

function readRows(tensor: Tensor): (number | number[])[] {
  const numbers = Array.from(toNumbers(tensor), tensor.datatype === 'FP32' ? shortestFloat32 : Number);
  const rows = tensor.shape[0] ?? 1;
  const width = rows === 0 ? 0 : numbers.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    const values = numbers.slice(row * width, (row + 1) * width);
    const [only = Number.NaN] = values;
    return values.length === 1 ? only : values;
  });
}
