import { type InferenceError, invalid, overLimit } from '../errors.ts';
import { UnsafeIntegerError } from '../json/exact-integers.ts';
import { describeJson, type JsonValue } from '../json/json-value.ts';
import { measureNesting } from '../json/nesting.ts';
import type { WritableJson } from '../json/write-json.ts';
import { DATATYPES, type Datatype } from './datatype.ts';
import { describeElement, isInexact } from './describe-element.ts';
import { createFill } from './fill-elements.ts';
import { float16ToNumber } from './float16.ts';
import { shortestFloat32 } from './float32.ts';
import type { Tensor } from './tensor.ts';
import { textFault } from './text-fault.ts';

export interface NestedOptions {
  /** Where the value stands in the request, for errors. */
  readonly field: string;
  /** Where an item of the value stands, by its indices; without it they are appended to `field`. */
  readonly locate?: ((path: readonly number[]) => string) | undefined;
  readonly elementLimit: number;
  /** Whether true and false are taken for the numbers 1 and 0. */
  readonly takesBooleans?: boolean | undefined;
}

/**
 * Reads a tensor from nested JSON lists; the nesting is the shape. The caller has limited the depth.
 *
 * @throws InferenceError for ragged lists, wrong element types, numbers out of range and too many elements, naming the
 * place of the first
 * @throws UnsafeIntegerError
 */
export function parseNested(value: JsonValue, datatype: Datatype, options: NestedOptions): Tensor {
  const { shape } = measureNesting(value);
  const lists = Array.isArray(value) ? collectLists(value, shape, options) : [[value]];
  const width = shape.at(-1) ?? 1;
  // Every list was read: there really are as many elements as were allocated by the sizes of the first lists.
  const count = lists.length * width;
  if (count > options.elementLimit) {
    throw overLimit(
      `Field "${options.field}"`,
      `has ${count} elements; the limit is ${options.elementLimit} (MAX_TENSOR_ELEMENTS).`,
    );
  }
  const data = DATATYPES[datatype].allocate(count);
  const fill = createFill(data, datatype, options.takesBooleans);
  for (const [row, list] of lists.entries()) {
    const wrong = fill(list, row * width);
    if (wrong === -1) continue;
    const path = shape.length === 0 ? [] : [...unravel(row, shape.slice(0, -1)), wrong];
    throw wrongElement(list[wrong], path, datatype, options);
  }
  return { datatype, shape, data };
}

/** The innermost lists, in order. */
function collectLists(
  value: readonly JsonValue[],
  shape: readonly number[],
  options: NestedOptions,
): readonly (readonly JsonValue[])[] {
  let lists = [value];
  for (let level = 1; level < shape.length; level++) {
    const next: JsonValue[][] = [];
    for (const list of lists) {
      for (const item of list) {
        if (!Array.isArray(item) || item.length !== shape[level]) {
          const path = unravel(next.length, shape.slice(0, level));
          throw unlikeFirst(item, path, `an array of ${shape[level]}`, options);
        }
        next.push(item);
      }
    }
    lists = next;
  }
  return lists;
}

/** The indices along each axis of the item at a place in row-major order. */
function unravel(place: number, shape: readonly number[]): number[] {
  let rest = place;
  return shape
    .toReversed()
    .map((size) => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    })
    .reverse();
}

function nameOf(path: readonly number[], { field, locate }: NestedOptions): string {
  return `Field "${locate?.(path) ?? appendPath(field, path)}"`;
}

/** `instances` and `[1, 2]` → `instances[1][2]`. */
export function appendPath(field: string, path: readonly number[]): string {
  return field + path.map((index) => `[${index}]`).join('');
}

/** In a tensor all items of one level have the same shape. */
function unlikeFirst(
  value: JsonValue | undefined,
  path: readonly number[],
  expected: string,
  options: NestedOptions,
): InferenceError {
  const first = nameOf(new Array<number>(path.length).fill(0), options).replace('Field ', '');
  return invalid(`${nameOf(path, options)} is ${describeJson(value)}; expected ${expected}, like ${first}.`);
}

function wrongElement(
  value: JsonValue | undefined,
  path: readonly number[],
  datatype: Datatype,
  options: NestedOptions,
): InferenceError {
  if (Array.isArray(value)) return unlikeFirst(value, path, 'a single value', options);
  const name = nameOf(path, options);
  const { kind } = DATATYPES[datatype];
  const fault = kind === 'string' && typeof value === 'string' ? textFault(value) : undefined;
  if (fault) return invalid(name, `has ${fault}, which strings cannot hold.`);
  if (isInexact(value, datatype)) {
    return new UnsafeIntegerError(
      name,
      `is ${value}, which readers of JSON round; send it as a whole number with all its digits.`,
    );
  }
  return invalid(name, `is ${describeJson(value)}; expected ${describeElement(value, datatype)}.`);
}

/** The elements as nested lists; a scalar comes out bare. */
export function toNested(tensor: Tensor): WritableJson {
  const element = elementReader(tensor);
  let next = 0;
  const build = (axis: number): WritableJson => {
    const size = tensor.shape[axis];
    if (size === undefined) return element(next++);
    return Array.from({ length: size }, () => build(axis + 1));
  };
  return build(0);
}

function elementReader({ data, datatype }: Tensor): (index: number) => WritableJson {
  if (datatype === 'FP16') return (index) => shortestFloat32(float16ToNumber(Number(data[index])));
  if (datatype === 'FP32') return (index) => shortestFloat32(Number(data[index]));
  if (datatype === 'BOOL') return (index) => data[index] === 1;
  return (index) => data[index];
}
