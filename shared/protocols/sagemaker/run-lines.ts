import { OverspentError } from '../../budget.ts';
import type { Limits } from '../../config.ts';
import { InferenceError, overLimit } from '../../errors.ts';
import type { NamedTensors } from '../../runtime/session.ts';
import { concatRows, type Tensor } from '../../tensor/tensor.ts';
import { contractOf } from '../codecs/model-contract.ts';
import { type Invocation, openModel, runTensors } from '../invocation.ts';
import type { ProtocolOptions } from '../protocol.ts';
import type { Lines } from './read-lines.ts';

/** What became of some lines in a row: their outputs, or why the one line has none. */
export type Part =
  | { readonly outputs: NamedTensors; readonly count: number }
  | { readonly error: InferenceError };

/** Mistakes of clients that one line makes for all: bad values, and too much for one run. */
const STATUSES_OF_LINES: readonly number[] = [400, 413];

/**
 * Runs a model on lines, so many at a time as one request may have instances. Lines that cannot be run together are
 * halved until those that cannot be run at all stand alone. What all lines may cost together is not halved: the part that
 * was paid for already would be paid for again.
 *
 * @param keepsErrors whether such a line becomes a part of its own; otherwise the first one fails the request
 * @throws InferenceError when no line can be run, when more cannot be than a request may have instances, or when the
 * server fails
 */
export async function runLines(
  lines: Lines,
  invocation: Invocation,
  options: ProtocolOptions,
  keepsErrors: boolean,
): Promise<readonly Part[]> {
  const { config } = options;
  const chosen = await openModel(invocation, options, lines.kind, (model) => lines.count(contractOf(model)));
  const total = chosen.seen;
  const errors: InferenceError[] = [];

  async function run(start: number, end: number): Promise<readonly Part[]> {
    try {
      const { outputs } = await runTensors(chosen, options, {
        kind: lines.kind,
        decode: (contract) => lines.decode(start, end, contract),
        isBatch: true,
      });
      return [{ outputs: checkRows(outputs, end - start), count: end - start }];
    } catch (error) {
      const isOfLines = error instanceof InferenceError && STATUSES_OF_LINES.includes(error.status);
      if (!isOfLines || error instanceof OverspentError) throw error;
      if (end - start > 1) {
        const middle = Math.ceil((start + end) / 2);
        return [...(await run(start, middle)), ...(await run(middle, end))];
      }
      errors.push(error);
      if (!keepsErrors || errors.length > config.limits.batchSize) throw errors[0];
      return [{ error }];
    }
  }

  const parts: Part[] = [];
  let elementsLeft = config.limits.tensorElements;
  for (let start = 0; start < total; start += config.limits.batchSize) {
    const portion = await run(start, Math.min(start + config.limits.batchSize, total));
    elementsLeft -= portion.reduce((sum, part) => sum + countElements(part), 0);
    if (elementsLeft < 0) throw tooManyElements(config.limits);
    parts.push(...portion);
  }
  if (errors.length === parts.length) throw errors[0] ?? noLines();
  return parts;
}

/** The outputs of all lines as if they had been run at once. */
export function joinParts(parts: readonly Part[]): NamedTensors {
  const outputs = new Map<string, [Tensor, ...Tensor[]]>();
  for (const part of parts) {
    if ('error' in part) throw part.error;
    for (const [name, tensor] of part.outputs) {
      const known = outputs.get(name);
      if (known) known.push(tensor);
      else outputs.set(name, [tensor]);
    }
  }
  return new Map([...outputs].map(([name, tensors]) => [name, joinTensors(name, tensors)]));
}

function joinTensors(name: string, tensors: readonly [Tensor, ...Tensor[]]): Tensor {
  const [first, ...others] = tensors;
  if (others.length === 0) return first;
  const other = others.find(({ shape }) => shape.slice(1).join() !== first.shape.slice(1).join());
  if (!other) return concatRows(tensors);
  throw new InferenceError(
    'NOT_ACCEPTABLE',
    `Output "${name}" has rows of the shapes [${first.shape.slice(1)}] and [${other.shape.slice(1)}], which one array cannot hold.`,
  );
}

/** Every line must get its own answer. */
function checkRows(outputs: NamedTensors, count: number): NamedTensors {
  for (const [name, { shape }] of outputs) {
    if (shape[0] === count) continue;
    throw new InferenceError(
      'NOT_ACCEPTABLE',
      `Output "${name}" has the shape [${shape}] for ${count} lines; expected one row for each.`,
    );
  }
  return outputs;
}

function countElements(part: Part): number {
  if ('error' in part) return 0;
  return [...part.outputs.values()].reduce((sum, { data }) => sum + data.length, 0);
}

/** One run is limited already; the answer to all lines must fit into memory as well. */
function tooManyElements(limits: Limits): InferenceError {
  return overLimit(
    `The outputs for all lines have more than ${limits.tensorElements} elements, which is the limit (MAX_TENSOR_ELEMENTS); send fewer lines.`,
  );
}

function noLines(): InferenceError {
  return new InferenceError('BAD_REQUEST', 'The table has no rows below its header; expected at least one.');
}
