import { invalid } from '../errors.ts';
import type { NamedTensors, Session } from '../runtime/session.ts';
import { concatRows, sliceRows } from '../tensor/tensor.ts';

/** Lets a run of the graph happen: it can be timed, or kept from being begun. */
export type Watch = <R>(run: () => Promise<R>) => Promise<R>;

export interface RunOptions {
  /** Names of the outputs wanted; all by default. */
  readonly fetches?: readonly string[] | undefined;
  /** Whether the first axis of each feed counts instances, which have nothing to do with each other. */
  readonly isBatch: boolean;
}

/** Runs the graph of a model; the feeds were checked against it. */
export type Runner = (feeds: NamedTensors, options: RunOptions) => Promise<NamedTensors>;

const WITHOUT_WATCH: Watch = (run) => run();

/**
 * Runs a graph. All runs of all models come past here. Instances of a graph that was exported with a fixed batch size go
 * through in batches of it; many instances that give texts go through some at a time.
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
  const run = (some: NamedTensors) => watch(() => session.run(some, fetches));
  const rows = countRows(session.inputs, feeds);
  // Where inputs do not agree in their instances, the runtime says what it thinks of that.
  if (!isBatch || rows === undefined) return await run(feeds);
  const size = batchSizeOf(session);
  if (size === -1) {
    return await (rows > ROWS_WITH_TEXTS && givesTextsByRow(session, fetches)
      ? runTexts(session, feeds, fetches, run)
      : run(feeds));
  }
  if (size === rows) return await run(feeds);
  if (size === 0 || rows % size !== 0) {
    throw invalid(
      'The request',
      `has ${rows} instances; the model was exported for batches of exactly ${size}.`,
    );
  }
  const parts: NamedTensors[] = [];
  for (const part of cut(session, feeds, size)) parts.push(await run(part));
  return join(fetches, parts);
}

/** Makes a turn of some 30 ms. */
const ROWS_WITH_TEXTS = 2 ** 16;

/** The runtime holds each text twice, and they become strings in one turn of the event loop. */
async function runTexts(
  session: Session,
  feeds: NamedTensors,
  fetches: readonly string[],
  run: (some: NamedTensors) => Promise<NamedTensors>,
): Promise<NamedTensors> {
  const parts: NamedTensors[] = [];
  for (const some of cut(session, feeds, ROWS_WITH_TEXTS)) {
    const part = await run(some);
    // What the graph gives is not one thing a row, whatever it says.
    if (parts.length === 0 && countRows(session.outputs, part) !== ROWS_WITH_TEXTS) return await run(feeds);
    parts.push(part);
  }
  return join(fetches, parts);
}

function givesTextsByRow({ outputs }: Session, fetches: readonly string[]): boolean {
  const fetched = outputs.filter(({ name }) => fetches.includes(name));
  return (
    fetched.some(({ datatype }) => datatype === 'BYTES') &&
    fetched.every(({ batchAxis, shape }) => batchAxis === 0 && shape[0] === -1)
  );
}

/** How many instances tensors have; undefined where that is not one number. */
function countRows(specs: Session['inputs'], tensors: NamedTensors): number | undefined {
  const batched = specs.filter(({ batchAxis }) => batchAxis === 0);
  const sizes = new Set(batched.flatMap(({ name }) => tensors.get(name)?.shape[0] ?? []));
  const [size, ...others] = sizes;
  return others.length === 0 ? size : undefined;
}

/** Feeds for some rows at a time; the last may be fewer. What does not count instances is the same for all. */
function* cut(session: Session, feeds: NamedTensors, size: number): Generator<NamedTensors> {
  const batched = new Set(session.inputs.flatMap((spec) => (spec.batchAxis === 0 ? [spec.name] : [])));
  const rows = countRows(session.inputs, feeds) ?? 0;
  for (let start = 0; start < rows; start += size) {
    const end = Math.min(rows, start + size);
    yield new Map(
      [...feeds].map(([name, tensor]) => [name, batched.has(name) ? sliceRows(tensor, start, end) : tensor]),
    );
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
export function batchSizeOf({ inputs }: Pick<Session, 'inputs'>): number {
  return inputs.find(({ batchAxis, shape: [size = -1] }) => batchAxis === 0 && size !== -1)?.shape[0] ?? -1;
}

/** Whether a graph takes any number of instances at once: all inputs begin with it. */
export function takesAnyBatch({ inputs }: Pick<Session, 'inputs'>): boolean {
  return inputs.length > 0 && inputs.every(({ batchAxis, shape }) => batchAxis === 0 && shape[0] === -1);
}
