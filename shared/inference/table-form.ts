import { invalid } from '../errors.ts';
import type { AnswerForm } from '../models/answer-forms.ts';
import type { NamedTensors } from '../runtime/session.ts';
import { moveAxisToFront } from '../tensor/move-axis.ts';
import { concatRows, createTensor, type Tensor } from '../tensor/tensor.ts';
import type { InferenceOutput } from './output.ts';

/** The forms that are one tensor with a row for each row of the table. */
export type TableForm = Exclude<AnswerForm, 'objects' | 'columns'>;

export function isTableForm(form: AnswerForm): form is TableForm {
  return form !== 'objects' && form !== 'columns';
}

/**
 * The predictions of a tabular model as a tensor: `[rows]` for one value per row, `[rows, values]` for more, and
 * `[rows, targets, values]` for several targets. Targets with different numbers of classes get one tensor each,
 * `name_0`, `name_1` and so on.
 *
 * @param name of the tensor
 * @throws InferenceError when the model has no such thing
 */
export function tableTensors(output: InferenceOutput, form: TableForm, name: string): NamedTensors {
  switch (output.kind) {
    case 'classification':
      return new Map([[name, classTensor(output, form)]]);
    case 'regression': {
      if (form === 'probabilities') throw noProbabilities();
      const rows = output.predictions.map((row) => (typeof row === 'number' ? [row] : row));
      return new Map([[name, rowsTensor(rows, true)]]);
    }
    case 'rows': {
      const { tensors, labels, scores, areProbabilities } = output;
      const given = labels === undefined ? undefined : tensors.get(labels);
      const others = scores.flatMap((score) => tensors.get(score) ?? []);
      if (form === 'probabilities' && !areProbabilities) throw noProbabilities();
      if (given && (form === 'labels' || others.length === 0)) return new Map([[name, flatten(given)]]);
      return stackTargets(others, form, name);
    }
    default:
      throw new Error(`a tabular model gave ${output.kind}`);
  }
}

/** The tensors of some rows after those of others. Labels are texts if any of them is one. */
export function joinTables(tables: readonly NamedTensors[]): NamedTensors {
  const [first, ...others] = tables;
  if (!first || others.length === 0) return first ?? new Map();
  return new Map(
    [...first].map(([name, tensor]) => {
      const tensors = [tensor, ...others.flatMap((table) => table.get(name) ?? [])] as const;
      const areAlike = tensors.every(({ datatype }) => datatype === tensor.datatype);
      return [name, concatRows(areAlike ? tensors : [asTexts(tensor), ...tensors.slice(1).map(asTexts)])];
    }),
  );
}

function asTexts({ shape, data }: Tensor): Tensor {
  return { datatype: 'BYTES', shape, data: Array.from(data, String) };
}

function classTensor(output: Extract<InferenceOutput, { readonly kind: 'classification' }>, form: TableForm) {
  const { predictions, given, areProbabilities } = output;
  if (form === 'labels') return given ? flatten(given) : labelTensor(predictions.map(({ label }) => label));
  if (form === 'probabilities' && !areProbabilities) throw noProbabilities();
  const rows = predictions.map(({ scores }) => scores);
  const isOfTwo = form === 'values' && rows[0]?.length === 2;
  return rowsTensor(isOfTwo ? rows.map((row) => row.subarray(1)) : rows, form === 'values');
}

/** The scores of all targets as one tensor, if all have the same number. */
function stackTargets(targets: readonly Tensor[], form: TableForm, name: string): NamedTensors {
  const [first, ...others] = targets;
  if (!first) throw invalid('This model has no scores.');
  if (others.length === 0) return new Map([[name, form === 'probabilities' ? first : flatten(first)]]);
  if (others.some(({ shape }) => String(shape) !== String(first.shape))) {
    return new Map(targets.map((tensor, index) => [`${name}_${index}`, tensor]));
  }
  const [rows = 0, ...rest] = first.shape;
  const stacked = concatRows([first, ...others]);
  return new Map([[name, moveAxisToFront({ ...stacked, shape: [targets.length, rows, ...rest] }, 1)]]);
}

function noProbabilities() {
  return invalid('This model has no probabilities.');
}

function labelTensor(labels: readonly (string | number)[]): Tensor {
  const shape = [labels.length];
  return labels.every((label) => typeof label === 'number')
    ? createTensor('INT64', shape, labels)
    : { datatype: 'BYTES', shape, data: labels.map(String) };
}

/** @param isFlat whether single values are not wrapped in a list */
function rowsTensor(rows: readonly ArrayLike<number>[], isFlat: boolean): Tensor {
  const width = rows[0]?.length ?? 0;
  const numbers = new Float64Array(rows.length * width);
  for (const [index, row] of rows.entries()) numbers.set(row, index * width);
  return {
    datatype: 'FP64',
    shape: isFlat && width === 1 ? [rows.length] : [rows.length, width],
    data: numbers,
  };
}

/** `[rows, 1]` as `[rows]`. */
function flatten(tensor: Tensor): Tensor {
  const [rows, ...rest] = tensor.shape;
  return rows === tensor.data.length && rest.length > 0 ? { ...tensor, shape: [rows] } : tensor;
}
