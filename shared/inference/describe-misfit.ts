import type { NamedTensors } from '../runtime/session.ts';

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
  if (!tensor || suits(tensor.shape, tensor.data.length / Math.max(1, rows))) return undefined;
  const instances = rows === 1 ? '1 instance' : `${rows} instances`;
  return `output "${name}" has the shape [${tensor.shape}] for ${instances}; ${needs}`;
}
