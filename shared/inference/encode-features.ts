import type { Limits } from '../config.ts';
import { invalid } from '../errors.ts';
import type { JsonValue } from '../json/parse-json.ts';
import { ModelError } from '../models/model-config.ts';
import { type Feature, parseRow, type RowFormat } from '../processing/tabular.ts';
import type { Session, TensorSpec } from '../runtime/session.ts';
import { FLOAT_BOUNDS, INTEGER_RANGES } from '../tensor/datatype.ts';
import { createTensor, type Tensor } from '../tensor/tensor.ts';
import { expectInput, type Located } from './input.ts';
import { type Encoder, fillBatch } from './task.ts';

/**
 * Prepares the input of a tabular model.
 *
 * @throws ModelError when the graph has no single numeric matrix as input, or another width than the config
 */
export function createFeatureEncoder(session: Session, features: readonly Feature[] | undefined): Encoder {
  const [input, ...others] = session.inputs;
  if (!input || others.length > 0) {
    throw new ModelError(`a tabular model has one input, its graph has ${session.inputs.length}`);
  }
  if (input.shape.length !== 2 || input.datatype === 'BYTES') {
    throw new ModelError(
      `a tabular model takes a matrix of numbers, its input "${input.name}" is ${input.datatype} [${input.shape}]`,
    );
  }
  const graphWidth = input.shape[1] === -1 ? undefined : input.shape[1];
  if (features && graphWidth !== undefined && features.length !== graphWidth) {
    throw new ModelError(`its model.json names ${features.length} features, its input takes ${graphWidth}`);
  }
  const integers = input.datatype === 'BOOL' ? ([0, 1] as const) : INTEGER_RANGES[input.datatype];
  const floatBound = FLOAT_BOUNDS[input.datatype];
  const format: RowFormat = { features, width: graphWidth, integers, floatBound };
  const exampleRow = features?.map(middleOf) ?? new Array<number>(graphWidth ?? 1).fill(0);
  return {
    input,
    encode: (given, limits) => encodeRows(expectInput(given, 'features').rows, input, format, limits),
    example: () => createTensor(input.datatype, [1, exampleRow.length], exampleRow),
    exampleRequest: fillBatch(input, 'features', exampleRow),
  };
}

/** The middle of a feature's range, a whole number where one is inside. */
function middleOf({ range }: Feature): number {
  const [low, high] = range ?? [0, 0];
  return Math.min(high, Math.max(low, Math.round((low + high) / 2)));
}

function encodeRows(
  rows: readonly Located<JsonValue>[],
  input: TensorSpec,
  format: RowFormat,
  limits: Limits,
): Tensor {
  const values: number[] = [];
  let width = format.features?.length ?? format.width;
  for (const { value, field } of rows) {
    // Where neither config nor graph say how wide a row is, the first one does.
    for (const number of parseRow(value, field, { ...format, width })) values.push(number);
    width ??= values.length;
    if (values.length > limits.tensorElements) {
      throw invalid(
        `The request has more than ${limits.tensorElements} numbers, the limit (MAX_TENSOR_ELEMENTS).`,
      );
    }
  }
  return createTensor(input.datatype, [rows.length, width ?? 0], values);
}
