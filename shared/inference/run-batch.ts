import { invalid } from '../errors.ts';
import type { NamedTensors, Session, TensorSpec } from '../runtime/session.ts';
import { concatRows, sliceRows, type Tensor } from '../tensor/tensor.ts';

/**
 * Runs a batch through a model with one input. Where the graph was exported with a fixed batch size the rows go
 * through in portions of it.
 *
 * @param tensor the rows; its first axis is the batch axis
 * @throws InferenceError when the rows do not make whole portions
 */
export async function runBatch(
  session: Session,
  input: TensorSpec,
  tensor: Tensor,
  fetches: readonly string[],
): Promise<NamedTensors> {
  const rows = tensor.shape[0] ?? 0;
  const portion = input.shape[0] ?? -1;
  if (portion === -1 || portion === rows) return await session.run(new Map([[input.name, tensor]]), fetches);
  if (portion === 0 || rows % portion !== 0) {
    throw invalid(
      `The request has ${rows} instances; the model was exported for batches of exactly ${portion}.`,
    );
  }
  const collected = new Map<string, Tensor[]>(fetches.map((name) => [name, []]));
  for (let start = 0; start < rows; start += portion) {
    const results = await session.run(
      new Map([[input.name, sliceRows(tensor, start, start + portion)]]),
      fetches,
    );
    for (const [name, result] of results) collected.get(name)?.push(result);
  }
  return new Map(
    [...collected].flatMap(([name, [first, ...rest]]) =>
      first ? [[name, concatRows([first, ...rest])]] : [],
    ),
  );
}
