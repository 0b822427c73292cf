import { invalid } from '../errors.ts';
import type { ValueInfo } from '../onnx/value-info.ts';
import type { NamedTensors } from '../runtime/session.ts';
import { elementCount } from '../tensor/tensor.ts';

/** An axis name that two inputs share, with its index in each. */
type SharedAxis = readonly [name: string, first: number, second: number];

/** More elements than this are too many if they are more than four times those of either input. */
const MANY = 2 ** 20;

/**
 * Axes with the same name in the graph have the same size, and the runtime relies on this when it fuses operators. It
 * survives most differences, but divides by sizes that are 0 (SkipLayerNormalization, which it makes from the sums in
 * text models). It also broadcasts: `[1, 500]` and `[100000, 1]` together become 50 million elements. Small differences
 * are left to the graph, such as one mask for a whole batch.
 *
 * @param inputs of the graph
 * @returns a check of feeds, which throws an InferenceError that names both inputs; undefined if no name occurs twice
 */
export function checkNamedAxes(inputs: readonly ValueInfo[]): ((feeds: NamedTensors) => void) | undefined {
  const places = new Map<string, { readonly input: string; readonly axis: number }[]>();
  for (const { name: input, shape = [] } of inputs) {
    for (const [axis, name] of shape.entries()) {
      if (typeof name !== 'string' || name === '') continue;
      const others = places.get(name);
      if (others) others.push({ input, axis });
      else places.set(name, [{ input, axis }]);
    }
  }
  const groups = [...places.values()].filter((axes) => axes.length > 1);
  if (groups.length === 0) return undefined;
  return (feeds) => {
    const isEqual = groups.every((axes) => {
      const sizes = axes.map(({ input, axis }) => feeds.get(input)?.shape[axis]);
      return sizes.every((size) => size === sizes[0]);
    });
    if (isEqual) return;
    for (const [at, first] of inputs.entries()) {
      for (const second of inputs.slice(at + 1)) checkPair(first, second, feeds);
    }
  };
}

function sharedAxes({ shape: first = [] }: ValueInfo, { shape: second = [] }: ValueInfo): SharedAxis[] {
  return first.flatMap((name, axis) => {
    const other = typeof name === 'string' && name !== '' ? second.indexOf(name) : -1;
    return other === -1 ? [] : [[String(name), axis, other] as const];
  });
}

function checkPair(first: ValueInfo, second: ValueInfo, feeds: NamedTensors): void {
  const axes = sharedAxes(first, second);
  const [one, other] = [feeds.get(first.name)?.shape, feeds.get(second.name)?.shape];
  if (axes.length === 0 || !one || !other) return;
  let together = elementCount(one) * elementCount(other);
  let different: SharedAxis | undefined;
  for (const axis of axes) {
    const [size = 1, otherSize = 1] = [one[axis[1]], other[axis[2]]];
    if (size === 0 || otherSize === 0) {
      if (size !== otherSize) throw refusal(axis, [first.name, one], [second.name, other]);
      return;
    }
    if (size !== otherSize) different ??= axis;
    together /= Math.min(size, otherSize);
  }
  const largest = Math.max(elementCount(one), elementCount(other));
  if (different && together > MANY && together > 4 * largest) {
    throw refusal(different, [first.name, one], [second.name, other]);
  }
}

type Shaped = readonly [name: string, shape: readonly number[]];

/** Names the smaller one first; if one is empty, that is the smaller one. */
function refusal([name, axis, otherAxis]: SharedAxis, first: Shaped, second: Shaped) {
  const isFirst = (first[1][axis] ?? 0) < (second[1][otherAxis] ?? 0);
  const [small, smallAxis] = isFirst ? [first, axis] : [second, otherAxis];
  const [large, largeAxis] = isFirst ? [second, otherAxis] : [first, axis];
  return invalid(
    `Input "${small[0]}"`,
    `has the shape [${small[1]}]; its axis ${smallAxis} ("${name}") has the size ${large[1][largeAxis]} in the input "${large[0]}".`,
  );
}
