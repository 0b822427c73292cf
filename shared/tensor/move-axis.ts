import { bytesOf, DATATYPES, type TensorData } from './datatype.ts';
import { elementCount, type Tensor } from './tensor.ts';

/** The tensor with an axis before all others, as NumPy's `moveaxis(tensor, axis, 0)`. */
export function moveAxisToFront(tensor: Tensor, axis: number): Tensor {
  if (axis === 0) return tensor;
  const { shape } = tensor;
  const size = shape[axis] ?? 1;
  const before = shape.slice(0, axis);
  const data = exchange(tensor, elementCount(before), size, elementCount(shape.slice(axis + 1)));
  return { ...tensor, shape: [size, ...before, ...shape.slice(axis + 1)], data };
}

/** The tensor with its first axis at another place, as NumPy's `moveaxis(tensor, 0, axis)`. */
export function moveAxisFromFront(tensor: Tensor, axis: number): Tensor {
  if (axis === 0) return tensor;
  const [size = 1, ...rest] = tensor.shape;
  const before = elementCount(rest.slice(0, axis));
  const data = exchange(tensor, size, before, elementCount(rest.slice(axis)));
  return { ...tensor, shape: rest.toSpliced(axis, 0, size), data };
}

/** Reorders elements of shape `[outer, inner, width]` to `[inner, outer, width]`. */
function exchange({ data, datatype }: Tensor, outer: number, inner: number, width: number): TensorData {
  const { allocate, elementBytes } = DATATYPES[datatype];
  const moved = allocate(data.length);
  if (Array.isArray(data) && Array.isArray(moved)) copyBlocks(data, moved, outer, inner, width);
  else if (!Array.isArray(data) && !Array.isArray(moved)) {
    copyBlocks(bytesOf(data), bytesOf(moved), outer, inner, width * elementBytes);
  }
  return moved;
}

function copyBlocks<T>(
  source: ArrayLike<T>,
  target: { [index: number]: T },
  outer: number,
  inner: number,
  width: number,
): void {
  for (let first = 0; first < outer; first++) {
    for (let second = 0; second < inner; second++) {
      let from = (first * inner + second) * width;
      let to = (second * outer + first) * width;
      for (const end = from + width; from < end; from++, to++) target[to] = source[from] as T;
    }
  }
}
