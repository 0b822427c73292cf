import type { NamedTensors } from '../runtime/session.ts';
import { elementCount } from '../tensor/tensor.ts';

/**
 * How an output differs from one with a value for each instance.
 *
 * @param needs what the task needs, for the message
 * @param suits whether the task can use a tensor with this shape and this number of elements per instance
 * @returns `output "y" has the shape [1,8,8] for 1 instance; …`, or undefined if it suits
 */
export function describeMisfit(
  outputs: NamedTensors,
  name: string,
  rows: number,
  needs: string,
  suits: (shape: readonly number[], elements: number) => boolean = ([first]) => first === rows,
): string | undefined {
  const tensor = outputs.get(name);
  if (!tensor) return undefined;
  const { shape, data } = tensor;
  const elements = rows === 0 ? elementCount(shape.slice(1)) : data.length / rows;
  if (suits(shape, elements)) return undefined;
  const instances = rows === 1 ? '1 instance' : `${rows} instances`;
  return `output "${name}" has the shape [${shape}] for ${instances}; ${needs}`;
}
