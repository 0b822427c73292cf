import { invalid } from '../errors.ts';
import type { NamedTensors, Session } from '../runtime/session.ts';
import { concatRows, sliceRows, type Tensor } from '../tensor/tensor.ts';

/**
 * Runs a batch through a model. Where the graph was exported with a fixed batch size the rows go through in portions
 * of it.
 *
 * @param feeds a tensor per input of the graph; the first axis of each is the batch axis
 * @throws InferenceError when the rows do not make whole portions
 */
export async function runBatch(
  session: Session,
  feeds: NamedTensors,
  fetches: readonly string[],
): Promise<NamedTensors> {
  const [first] = feeds.values();
  const rows = first?.shape[0] ?? 0;
  const portion = batchSizeOf(session);
  if (portion === -1 || portion === rows) return await session.run(feeds, fetches);
  if (portion === 0 || rows % portion !== 0) {
    throw invalid(
      `The request has ${rows} instances; the model was exported for batches of exactly ${portion}.`,
    );
  }
  const collected = new Map<string, Tensor[]>(fetches.map((name) => [name, []]));
  for (let start = 0; start < rows; start += portion) {
    const part = new Map(
      [...feeds].map(([name, tensor]) => [name, sliceRows(tensor, start, start + portion)]),
    );
    for (const [name, result] of await session.run(part, fetches)) collected.get(name)?.push(result);
  }
  return new Map(
    [...collected].flatMap(([name, [first, ...rest]]) =>
      first ? [[name, concatRows([first, ...rest])]] : [],
    ),
  );
}

/** The batch size a graph was exported with; -1 for any. */
export function batchSizeOf({ inputs }: Session): number {
  return inputs.find(({ shape: [size = -1] }) => size !== -1)?.shape[0] ?? -1;
}
