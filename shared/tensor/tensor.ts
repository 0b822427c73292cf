import { bytesOf, DATATYPES, type Datatype, type TensorData } from './datatype.ts';
import { isWide, readNumbers } from './number-blocks.ts';

/** A dense tensor in row-major order. `shape` has one non-negative whole number per axis; `[]` is a scalar. */
export interface Tensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** As many elements as `shape` says. FP16 as bit patterns, BOOL as 0 and 1, BYTES as strings. */
  readonly data: TensorData;
  /** Whether its texts are JSON: where an answer is JSON itself, they are written as values. */
  readonly isJson?: boolean | undefined;
}

/** How many elements a tensor of this shape has. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether a shape, with -1 for open sizes, has one element for each row: `[N]`, `[N, 1]` or `[1, N]`. */
export function isOneEach([first, second, ...others]: readonly number[]): boolean {
  if (first === undefined || others.length > 0) return false;
  return second === undefined || second === 1 || first === 1;
}

/** A copy of the elements as numbers. 64-bit integers beyond 2^53 lose digits: use `data` where they matter. */
export function toNumbers({ data, datatype }: Tensor): Float64Array {
  if (Array.isArray(data)) return Float64Array.from(data, Number);
  if (datatype !== 'FP16' && !isWide(data)) return new Float64Array(data);
  const numbers = new Float64Array(data.length);
  readNumbers({ data, datatype }, 0, numbers);
  return numbers;
}

/** A tensor of one datatype from plain numbers, each rounded to the datatype; the caller has checked ranges. */
export function createTensor(
  datatype: Datatype,
  shape: readonly number[],
  values: ArrayLike<number>,
): Tensor {
  return { datatype, shape, data: DATATYPES[datatype].fromNumbers(values) };
}

/** Rows `start` to `end` (exclusive) of the first axis; the elements are shared, not copied. */
export function sliceRows(tensor: Tensor, start: number, end: number): Tensor {
  const [rows = 1, ...rest] = tensor.shape;
  const width = rows === 0 ? 0 : tensor.data.length / rows;
  const [from, to] = [start * width, end * width];
  const data = Array.isArray(tensor.data) ? tensor.data.slice(from, to) : tensor.data.subarray(from, to);
  return { ...tensor, shape: [end - start, ...rest], data };
}

/** One tensor with the rows of all, in order; they agree in datatype and in all axes but the first. */
export function concatRows(tensors: readonly [Tensor, ...Tensor[]]): Tensor {
  const [first] = tensors;
  const rows = tensors.reduce((total, tensor) => total + (tensor.shape[0] ?? 1), 0);
  const shape = [rows, ...first.shape.slice(1)];
  const data = DATATYPES[first.datatype].allocate(elementCount(shape));
  if (Array.isArray(data)) {
    let place = 0;
    for (const { data: texts } of tensors) {
      for (const text of texts) data[place++] = String(text);
    }
    return { ...first, shape, data };
  }
  // Copied as bytes: the arrays are of one kind, which their union type does not show.
  const target = bytesOf(data);
  let at = 0;
  for (const tensor of tensors) {
    if (Array.isArray(tensor.data)) throw new Error('tensors of strings and of numbers cannot be joined');
    const part = bytesOf(tensor.data);
    target.set(part, at);
    at += part.length;
  }
  return { ...first, shape, data };
}
