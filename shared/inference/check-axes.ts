import { invalid } from '../errors.ts';
import type { ValueInfo } from '../onnx/value-info.ts';
import type { NamedTensors } from '../runtime/session.ts';

interface NamedAxis {
  readonly input: string;
  readonly axis: number;
}

/**
 * Axes that the graph gives one name have one size, and the runtime counts on it where it makes one operator of several.
 * It survives most that differ, but divides by those that are 0 (SkipLayerNormalization, which it makes of the sums in
 * text models).
 *
 * @param inputs of the graph
 * @returns a check of feeds, which throws an InferenceError that names both inputs; undefined where no name comes twice
 */
export function checkNamedAxes(inputs: readonly ValueInfo[]): ((feeds: NamedTensors) => void) | undefined {
  const places = new Map<string, NamedAxis[]>();
  for (const { name: input, shape = [] } of inputs) {
    for (const [axis, name] of shape.entries()) {
      if (typeof name !== 'string' || name === '') continue;
      const others = places.get(name);
      if (others) others.push({ input, axis });
      else places.set(name, [{ input, axis }]);
    }
  }
  const shared = [...places].filter(([, axes]) => new Set(axes.map(({ input }) => input)).size > 1);
  if (shared.length === 0) return undefined;
  return (feeds) => {
    for (const [name, axes] of shared) {
      const sizes = axes.map(({ input, axis }) => feeds.get(input)?.shape[axis]);
      const empty = axes[sizes.indexOf(0)];
      const full = axes[sizes.findIndex((size) => size !== undefined && size > 0)];
      if (!empty || !full || empty.input === full.input) continue;
      throw invalid(
        `Input "${empty.input}"`,
        `has the shape [${feeds.get(empty.input)?.shape}]; its axis ${empty.axis} ("${name}") is ` +
          `${feeds.get(full.input)?.shape[full.axis]} in the input "${full.input}".`,
      );
    }
  };
}
