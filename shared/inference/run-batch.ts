import { invalid } from '../errors.ts';
import type { NamedTensors, Session } from '../runtime/session.ts';
import { concatRows, sliceRows, type Tensor } from '../tensor/tensor.ts';

/** Lets a run of the graph happen: it can be timed, or kept from being begun. */
export type Watch = <R>(run: () => Promise<R>) => Promise<R>;

export interface RunOptions {
  /** Names of the outputs wanted; all by default. */
  readonly fetches?: readonly string[] | undefined;
  /** Whether the first axis of each feed counts instances. */
  readonly isBatch: boolean;
}

/** Runs the graph of a model; the feeds were checked against it. */
export type Runner = (feeds: NamedTensors, options: RunOptions) => Promise<NamedTensors>;

const WITHOUT_WATCH: Watch = (run) => run();

/**
 * Runs a graph. All runs of all models come past here. Instances of a graph that was exported with a fixed batch size go
 * through in batches of it.
 *
 * @param feeds a tensor per input of the graph
 * @throws InferenceError when the instances do not make whole batches
 */
export async function runBatch(
  session: Session,
  feeds: NamedTensors,
  { fetches = session.outputs.map(({ name }) => name), isBatch }: RunOptions,
  watch: Watch = WITHOUT_WATCH,
): Promise<NamedTensors> {
  const batched = new Set(session.inputs.flatMap((spec) => (spec.batchAxis === 0 ? [spec.name] : [])));
  const rows = [...feeds].find(([name]) => batched.has(name))?.[1].shape[0] ?? 0;
  const size = isBatch ? batchSizeOf(session) : -1;
  if (size === -1 || size === rows) return await watch(() => session.run(feeds, fetches));
  if (size === 0 || rows % size !== 0) {
    throw invalid(
      `The request has ${rows} instances; the model was exported for batches of exactly ${size}.`,
    );
  }
  const collected = new Map<string, Tensor[]>(fetches.map((name) => [name, []]));
  for (let start = 0; start < rows; start += size) {
    const part = new Map(
      [...feeds].map(([name, tensor]) => [
        name,
        batched.has(name) ? sliceRows(tensor, start, start + size) : tensor,
      ]),
    );
    const outputs = await watch(() => session.run(part, fetches));
    for (const [name, result] of outputs) collected.get(name)?.push(result);
  }
  return new Map(
    [...collected].flatMap(([name, [first, ...rest]]) =>
      first ? [[name, concatRows([first, ...rest])]] : [],
    ),
  );
}

/** The batch size a graph was exported with; -1 for any. */
export function batchSizeOf({ inputs }: Pick<Session, 'inputs'>): number {
  return inputs.find(({ batchAxis, shape: [size = -1] }) => batchAxis === 0 && size !== -1)?.shape[0] ?? -1;
}

/** Whether a graph takes any number of instances at once: all inputs begin with it. */
export function takesAnyBatch({ inputs }: Pick<Session, 'inputs'>): boolean {
  return inputs.length > 0 && inputs.every(({ batchAxis, shape }) => batchAxis === 0 && shape[0] === -1);
}
