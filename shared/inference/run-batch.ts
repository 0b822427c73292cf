import { invalid } from '../errors.ts';
import type { NamedTensors, Session } from '../runtime/session.ts';
import { concatRows, sliceRows } from '../tensor/tensor.ts';

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
  const parts: NamedTensors[] = [];
  for await (const part of runPortions(session, feeds, fetches, portion)) parts.push(part);
  return join(fetches, parts);
}

/**
 * Runs rows that have nothing to do with each other through a graph for any number of them. Where it gives texts they go
 * through some at a time: the runtime holds each text twice, and they become strings in one turn of the event loop.
 *
 * @param feeds a tensor per input of the graph; the first axis of each counts the rows
 * @param goOn is called before each run, and throws when nobody needs the results any more
 */
export async function runRows(
  session: Session,
  feeds: NamedTensors,
  fetches: readonly string[],
  goOn: () => void,
): Promise<NamedTensors> {
  const rows = countRows(feeds) ?? 0;
  if (rows <= ROWS_WITH_TEXTS || !givesTextsByRow(session, fetches)) return await session.run(feeds, fetches);
  const parts: NamedTensors[] = [];
  for await (const part of runPortions(session, feeds, fetches, ROWS_WITH_TEXTS)) {
    // What the graph gives is not one thing a row, whatever it says.
    if (parts.length === 0 && countRows(part) !== ROWS_WITH_TEXTS) return await session.run(feeds, fetches);
    parts.push(part);
    goOn();
  }
  return join(fetches, parts);
}

/** Makes a turn of some 30 ms. */
const ROWS_WITH_TEXTS = 2 ** 16;

function givesTextsByRow({ outputs }: Session, fetches: readonly string[]): boolean {
  const fetched = outputs.filter(({ name }) => fetches.includes(name));
  return (
    fetched.some(({ datatype }) => datatype === 'BYTES') &&
    fetched.every(({ shape, isRankOpen }) => !isRankOpen && shape[0] === -1)
  );
}

/** The size of the first axis; undefined where the tensors do not have the same. */
function countRows(tensors: NamedTensors): number | undefined {
  const sizes = new Set([...tensors.values()].map(({ shape }) => shape[0]));
  const [size, ...others] = sizes;
  return others.length === 0 ? size : undefined;
}

/** The last portion may have fewer rows. */
async function* runPortions(
  session: Session,
  feeds: NamedTensors,
  fetches: readonly string[],
  portion: number,
): AsyncGenerator<NamedTensors> {
  const [first] = feeds.values();
  const rows = first?.shape[0] ?? 0;
  for (let start = 0; start < rows; start += portion) {
    const end = Math.min(rows, start + portion);
    const part = new Map([...feeds].map(([name, tensor]) => [name, sliceRows(tensor, start, end)]));
    yield await session.run(part, fetches);
  }
}

function join(fetches: readonly string[], parts: readonly NamedTensors[]): NamedTensors {
  return new Map(
    fetches.flatMap((name) => {
      const [first, ...rest] = parts.flatMap((part) => part.get(name) ?? []);
      return first ? [[name, concatRows([first, ...rest])]] : [];
    }),
  );
}

/** The batch size a graph was exported with; -1 for any. */
export function batchSizeOf({ inputs }: Session): number {
  return inputs.find(({ shape: [size = -1] }) => size !== -1)?.shape[0] ?? -1;
}
