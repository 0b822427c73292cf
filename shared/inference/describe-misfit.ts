import type { NamedTensors } from '../runtime/session.ts';

/**
 * How an output differs from one that has something for each instance.
 *
 * @param needs what the task needs, in words
 * @param suits whether it can use a tensor of such a shape and so many elements for an instance
 * @returns `output "y" has the shape [1,8,8] for 1 instance; …`, or undefined where it suits
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
