import { invalid } from '../../errors.ts';
import { checkAnswerSize } from '../../json/join-each.ts';
import { type Label, topK } from '../../processing/classification.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { elementCount, type Tensor, toNumbers } from '../../tensor/tensor.ts';
import type { RequestedOutput } from './decode-outputs.ts';

/** Triton's own bound on the classes of one item. */
const MOST_CLASSES = 1_000_000;
/** Shortest class in JSON, `"0.000000:0",` of floats and `"0:0",` of whole numbers; the binary form takes one more. */
const LEAST_BYTES = { float: 13, integer: 6 } as const;

/**
 * Replaces a tensor by its best classes as texts `value:index` or `value:index:label`, best first. All axes but the
 * first are the classes of one item, or all of them where the model does not batch; the values have six decimals, as C++ prints them.
 * Source: Triton's classification extension and its code.
 */
export function classify(
  tensor: Tensor,
  { name, classes }: RequestedOutput,
  labels: readonly Label[] | undefined,
  batches: boolean,
  limitBytes: number,
): Tensor {
  const { kind } = DATATYPES[tensor.datatype];
  if (tensor.datatype === 'FP16' || (kind !== 'float' && kind !== 'integer')) {
    throw invalid(`Output "${name}"`, `is ${tensor.datatype}, which has no classification.`);
  }
  const rows = batches ? (tensor.shape[0] ?? 1) : 1;
  const width = elementCount(batches ? tensor.shape.slice(1) : tensor.shape);
  if (width > MOST_CLASSES)
    throw invalid(`Output "${name}"`, `has ${width} classes per item; the limit is ${MOST_CLASSES}.`);
  const best = Math.min(classes, width);
  checkAnswerSize(rows * best * LEAST_BYTES[kind], limitBytes);
  const values = toNumbers(tensor);
  const data: string[] = [];
  for (let row = 0; row < rows; row++) {
    const scores = values.subarray(row * width, (row + 1) * width);
    for (const index of topK(scores, best)) {
      const value = kind === 'float' ? toText(scores[index] ?? 0) : String(tensor.data[row * width + index]);
      const label = labels?.length === width ? `:${labels[index]}` : '';
      data.push(`${value}:${index}${label}`);
    }
  }
  return { datatype: 'BYTES', shape: batches ? [rows, best] : [best], data };
}

/** As `std::to_string` prints a float: six decimals, never an exponent. */
function toText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
