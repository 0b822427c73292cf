import { invalid } from '../errors.ts';
import type { NamedTensors, Session, TensorSpec } from '../runtime/session.ts';
import { moveAxisFromFront, moveAxisToFront } from '../tensor/move-axis.ts';
import { concatRows, sliceRows } from '../tensor/tensor.ts';
import { createRests } from '../turns.ts';
import type { Layout } from '../values/named-inputs.ts';
import { checkWords, cutByWords } from './words.ts';

/** Wraps a run of the graph, to time it or to prevent it. */
export type Watch = <R>(run: () => Promise<R>) => Promise<R>;

export interface RunOptions {
  /** Names of the requested outputs; all by default. */
  readonly fetches?: readonly string[] | undefined;
  readonly layout: Layout;
}

/** Runs the graph of a model; the feeds were checked against it. */
export type Runner = (feeds: NamedTensors, options: RunOptions) => Promise<NamedTensors>;

const WITHOUT_WATCH: Watch = (run) => run();

/**
 * Runs a graph. All runs of all models go through this function. If a graph was exported with a fixed batch size, its
 * instances run in batches of that size. Many instances with texts as outputs run a few at a time, and so do long texts
 * that the graph cuts into words. Other requests run between the batches, as a run itself blocks this thread. Listed
 * instances are moved to the axis that the graph has for them, and the outputs are moved back. In a graph for one instance, an output
 * without such an axis belongs to that instance.
 *
 * @param feeds a tensor per input of the graph
 * @throws InferenceError when the instances do not make whole batches, or outputs do not become one tensor
 */
export async function runBatch(
  session: Session,
  feeds: NamedTensors,
  { fetches = namesOf(session.outputs), layout }: RunOptions,
  watch: Watch = WITHOUT_WATCH,
): Promise<NamedTensors> {
  const runAsIs = (some: NamedTensors) => {
    if (session.cutsTexts) checkWords(some);
    return watch(() => session.run(some, fetches));
  };
  // Rows of words are run a few at a time in any layout, if the graph has them on the first axis everywhere.
  if (layout === 'whole' && !(session.cutsTexts && takesAnyBatch(session))) return await runAsIs(feeds);
  const areListed = layout === 'instances';
  const run =
    areListed && !areAllFirst(session)
      ? async (some: NamedTensors) => fromGraph(session, await runAsIs(toGraph(session, some)))
      : runAsIs;
  const batched = namesOf(
    session.inputs.filter(({ batchAxis }) => (areListed ? batchAxis !== undefined : batchAxis === 0)),
  );
  const rows = countRows(batched, feeds);
  // If the inputs differ in their number of instances, the runtime reports it.
  if (rows === undefined) return await run(feeds);
  const size = batchSizeOf(session);
  if (size === -1) {
    const mayBeCut = (session.cutsTexts || rows > ROWS_WITH_TEXTS) && givesRowsOf(session, fetches);
    const starts = mayBeCut ? cutTexts(session, feeds, batched, rows, fetches) : [0];
    return await (starts.length > 1 ? runTexts(feeds, batched, [...starts, rows], fetches, run) : run(feeds));
  }
  if (size === rows) return await run(feeds);
  if (size === 0 || rows % size !== 0) {
    throw invalid(
      'The request',
      `has ${rows} instances; the model was exported for batches of exactly ${size}.`,
    );
  }
  const outputs = session.outputs.filter(({ name }) => fetches.includes(name));
  if (!areListed) checkFirstAxis([...session.inputs, ...outputs], size);
  const parts: NamedTensors[] = [];
  const rest = createRests();
  for (const part of cut(feeds, batched, [...startsOf(rows, size), rows])) {
    await rest();
    parts.push(await run(part));
  }
  checkParts(parts, outputs, size, areListed);
  return join(fetches, parts);
}

function namesOf(specs: readonly TensorSpec[]): readonly string[] {
  return specs.map(({ name }) => name);
}

/** Whether instances are on the first axis of all inputs and outputs. */
function areAllFirst({ inputs, outputs }: Session): boolean {
  return (
    inputs.every(({ batchAxis = 0 }) => batchAxis === 0) && outputs.every(({ batchAxis }) => batchAxis === 0)
  );
}

/** Moves the instances of each tensor from its first axis to the one that the graph has for them. */
function toGraph({ inputs }: Session, feeds: NamedTensors): NamedTensors {
  if (inputs.every(({ batchAxis = 0 }) => batchAxis === 0)) return feeds;
  const axes = new Map(inputs.map(({ name, batchAxis = 0 }) => [name, batchAxis]));
  return new Map([...feeds].map(([name, tensor]) => [name, moveAxisFromFront(tensor, axes.get(name) ?? 0)]));
}

/** Moves the instances of each output to its first axis. */
function fromGraph(session: Session, outputs: NamedTensors): NamedTensors {
  if (session.outputs.every(({ batchAxis }) => batchAxis === 0)) return outputs;
  const isOfOne = batchSizeOf(session) === 1;
  const moved = session.outputs.flatMap(({ name, batchAxis, isRankDynamic }) => {
    const tensor = outputs.get(name);
    if (!tensor) return [];
    if (batchAxis !== undefined) return [[name, moveAxisToFront(tensor, batchAxis)] as const];
    return [[name, isOfOne && !isRankDynamic ? { ...tensor, shape: [1, ...tensor.shape] } : tensor] as const];
  });
  return new Map(moved);
}

/**
 * @throws InferenceError for a tensor that cannot be split or joined directly, because its instances are not on the
 * first axis
 */
function checkFirstAxis(specs: readonly TensorSpec[], size: number): void {
  const later = specs.find(({ batchAxis = 0 }) => batchAxis > 0);
  if (!later) return;
  throw invalid(
    `Tensor "${later.name}"`,
    `has its instances on axis ${later.batchAxis}, and the model was exported for batches of exactly ${size}: send ${size} at a time, or use "instances".`,
  );
}

/** @throws InferenceError for outputs that cannot be joined into one tensor with the instances of all parts */
function checkParts(
  parts: readonly NamedTensors[],
  outputs: readonly TensorSpec[],
  size: number,
  areListed: boolean,
): void {
  for (const { name, batchAxis, isRankDynamic } of outputs) {
    const shapes = parts.map((part) => part.get(name)?.shape ?? []);
    const [shape = []] = shapes;
    const other = shapes.find((each) => String(each) !== String(shape));
    const isKnown = batchAxis !== undefined || isRankDynamic || (areListed && size === 1);
    if (!isKnown || shape[0] !== size) {
      throw invalid(
        `Output "${name}"`,
        `has the shape [${shape}], which has no axis for instances; send ${size} at a time, under "inputs".`,
      );
    }
    if (other) {
      throw invalid(
        `Output "${name}"`,
        `has the shape [${shape}] for some instances and [${other}] for others, so they cannot be answered together; send ${size} at a time.`,
      );
    }
  }
}

/** Takes some 30 ms at a time. */
const ROWS_WITH_TEXTS = 2 ** 16;

/** Where the rows start that are run at once, if they should not be run all together; otherwise 0 alone. */
function cutTexts(
  { outputs, cutsTexts }: Session,
  feeds: NamedTensors,
  batched: readonly string[],
  rows: number,
  fetches: readonly string[],
): readonly number[] {
  const givesTexts = outputs.some(({ name, datatype }) => datatype === 'BYTES' && fetches.includes(name));
  const mostRows = givesTexts ? ROWS_WITH_TEXTS : rows;
  return cutsTexts ? cutByWords(feeds, batched, rows, mostRows) : startsOf(rows, mostRows);
}

/**
 * The runtime holds each text twice, and all become strings in one turn of the event loop.
 *
 * @param bounds where the rows of each part start, and where the last ones end
 */
async function runTexts(
  feeds: NamedTensors,
  batched: readonly string[],
  bounds: readonly number[],
  fetches: readonly string[],
  run: (some: NamedTensors) => Promise<NamedTensors>,
): Promise<NamedTensors> {
  const parts: NamedTensors[] = [];
  const rest = createRests();
  for (const some of cut(feeds, batched, bounds)) {
    await rest();
    const part = await run(some);
    // The graph does not return one value per row, although it declares so; or as many for each as it has words.
    const rows = (bounds[parts.length + 1] ?? 0) - (bounds[parts.length] ?? 0);
    if (!agree(part, parts[0] ?? part, rows)) return await run(feeds);
    parts.push(part);
  }
  return join(fetches, parts);
}

/** Whether outputs have one row each, and the same axes after the first as those of another part. */
function agree(part: NamedTensors, first: NamedTensors, rows: number): boolean {
  return [...part].every(([name, { shape }]) => {
    const [count, ...axes] = shape;
    return count === rows && String(axes) === String(first.get(name)?.shape.slice(1));
  });
}

/** Whether the outputs that are asked for have any number of rows, according to the graph. */
function givesRowsOf({ outputs }: Session, fetches: readonly string[]): boolean {
  return outputs.every(
    ({ name, batchAxis, shape }) => !fetches.includes(name) || (batchAxis === 0 && shape[0] === -1),
  );
}

/** Whether an output has a value for each instance, as far as the graph says. */
export function isByInstance({ batchAxis, isRankDynamic }: TensorSpec, session: Session): boolean {
  return batchAxis !== undefined || isRankDynamic === true || batchSizeOf(session) === 1;
}

/** How many instances tensors have; undefined if they differ. */
function countRows(batched: readonly string[], feeds: NamedTensors): number | undefined {
  let rows: number | undefined;
  for (const name of batched) {
    const size = feeds.get(name)?.shape[0];
    if (rows !== undefined && size !== undefined && size !== rows) return undefined;
    rows ??= size;
  }
  return rows;
}

/** Where batches of a size start; the last one may be smaller. */
function startsOf(rows: number, size: number): readonly number[] {
  return Array.from({ length: Math.ceil(rows / size) }, (_, index) => index * size);
}

/**
 * Feeds for some rows at a time. Tensors without an axis of instances are the same for all.
 *
 * @param bounds where the rows of each part start, and where the last ones end
 */
function* cut(
  feeds: NamedTensors,
  batched: readonly string[],
  bounds: readonly number[],
): Generator<NamedTensors> {
  for (const [index, start] of bounds.slice(0, -1).entries()) {
    const end = bounds[index + 1] ?? start;
    yield new Map(
      [...feeds].map(([name, tensor]) => [
        name,
        batched.includes(name) ? sliceRows(tensor, start, end) : tensor,
      ]),
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
  for (const { batchAxis, shape } of inputs) {
    const size = batchAxis === undefined ? -1 : (shape[batchAxis] ?? -1);
    if (size !== -1) return size;
  }
  return -1;
}

/** Whether all outputs of a graph have the instances on the first axis, according to the graph. */
export function givesRows({ outputs }: Pick<Session, 'outputs'>): boolean {
  return outputs.every(({ batchAxis, isRankDynamic }) => batchAxis === 0 || isRankDynamic);
}

/** Whether a graph takes any number of instances at once: all inputs and outputs have them on the first axis. */
export function takesAnyBatch({ inputs, outputs }: Pick<Session, 'inputs' | 'outputs'>): boolean {
  return (
    inputs.length > 0 &&
    [...inputs, ...outputs].every(({ batchAxis, shape }) => batchAxis === 0 && shape[0] === -1)
  );
}
