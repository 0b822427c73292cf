import { type Budget, OverspentError } from '../../budget.ts';
import type { Limits } from '../../config.ts';
import { InferenceError, overLimit } from '../../errors.ts';
import type { Used } from '../../inference/inference.ts';
import type { ModelUse } from '../../inference/model-use.ts';
import type { Answering } from '../../models/answer-forms.ts';
import type { NamedTensors } from '../../runtime/session.ts';
import { concatRows, type Tensor } from '../../tensor/tensor.ts';
import { createRests } from '../../turns.ts';
import type { ModelContract } from '../../values/contract.ts';
import type { InputKind } from '../../values/input.ts';
import type { NamedInputs } from '../../values/named-inputs.ts';
import type { Invocation } from '../invocation.ts';
import type { ProtocolOptions } from '../operation.ts';
import { type GraphOutputs, type Protocols, runInForm } from '../run-payload.ts';

/** Records of a body, one instance each, that can be decoded some at a time. */
export interface Lines {
  readonly kind: InputKind;
  /** How many there are; a table knows only with the model whether its first row is a header. */
  readonly count: (contract: ModelContract) => number;
  /** How much text the lines from `start` to `end` (exclusive) have: its bytes or characters. */
  readonly sizeOf: (start: number, end: number, contract: ModelContract) => number;
  /**
   * The inputs of the lines from `start` to `end` (exclusive).
   * @throws InferenceError
   */
  readonly decode: (start: number, end: number, contract: ModelContract) => NamedInputs;
}

/** The result of some consecutive lines: their outputs, or the error of a single line. */
export type Part =
  | { readonly outputs: NamedTensors; readonly count: number }
  | { readonly error: InferenceError };

/** The results of all lines. */
export interface LineOutputs extends Pick<GraphOutputs, keyof Answering | 'flavour'> {
  readonly parts: readonly Part[];
}

/** Most bytes of lines that are run at once: the values of long JSON lines take many times their size. */
const LARGEST_PORTION = 2 * 1024 * 1024;

/** If at most this many lines fail, they are run one by one instead of in halves. */
const FEW_LINES = 128;

/** How many lines are decoded together in search of those that cannot be decoded. */
const GROUP_OF_LINES = 32;

/** Errors that one line can cause for all lines of its run: bad values, and too much for one run. */
const STATUSES_OF_LINES: readonly number[] = [400, 413];

/**
 * Runs a model on lines, as many at a time as one request may have instances. If they cannot be run together, they
 * are cut at the lines that cannot be decoded. Lines that can be decoded but not be run are halved until each line that
 * fails is alone. If the lines exceed a limit for all of them together, they are not halved: work that has been counted
 * already would be counted again.
 *
 * @param keepsErrors whether such a line becomes a separate part; otherwise the first one fails the request
 * @throws InferenceError when no line can be run, when more lines fail than a request may have instances, or when the
 * server fails
 */
export async function runLines(
  lines: Lines,
  invocation: Pick<Invocation, 'choice' | 'budget'>,
  { inference }: Pick<ProtocolOptions, 'inference'>,
  keepsErrors: boolean,
): Promise<Used<LineOutputs>> {
  const choice = { ...invocation.choice, kind: lines.kind };
  return await inference.use(choice, invocation, async (model) => ({
    parts: await runAll(lines, model, invocation.budget, keepsErrors),
    ...model.contract.answering(PROTOCOLS),
    flavour: model.contract.flavour,
  }));
}

/** The protocol whose form answers to tables have. */
export const PROTOCOLS = ['sagemaker'] as const satisfies Protocols;

async function runAll(
  lines: Lines,
  model: ModelUse,
  budget: Budget,
  keepsErrors: boolean,
): Promise<readonly Part[]> {
  const { contract } = model;
  const total = lines.count(contract);
  const errors: InferenceError[] = [];
  const { limits } = budget;
  const rest = createRests(() => budget.goOn());

  /** The result of lines that are run at once. */
  async function attempt(start: number, end: number): Promise<Part> {
    // Neither decoding nor a run gives other requests their turn.
    await rest();
    try {
      const inputs = lines.decode(start, end, contract);
      const { tensors } = await runInForm(model, PROTOCOLS, inputs, { layout: 'instances' });
      return { outputs: checkRows(tensors, end - start), count: end - start };
    } catch (error) {
      return { error: errorOfLines(error) };
    }
  }

  async function failLine(error: InferenceError): Promise<readonly Part[]> {
    errors.push(error);
    if (!keepsErrors || errors.length > limits.batchSize) throw errors[0];
    await model.refuse(error);
    return [{ error }];
  }

  /** Runs lines together, or else in stretches that can be decoded. */
  async function runPortion(start: number, end: number): Promise<readonly Part[]> {
    const whole = await attempt(start, end);
    if (!('error' in whole)) return [whole];
    const parts: Part[] = [];
    for await (const stretch of cut(start, end)) {
      const isWhole = stretch.end - stretch.start === end - start;
      parts.push(
        ...(stretch.error
          ? await failLine(stretch.error)
          : await run(stretch.start, stretch.end, isWhole ? whole : undefined)),
      );
    }
    return parts;
  }

  /**
   * Cuts lines where one of them cannot be decoded, alone or together with the line before it, such as a shorter list. A
   * line is decoded at most four times here, however many are wrong.
   */
  async function* cut(start: number, end: number): AsyncGenerator<Stretch> {
    let from = start;
    for (let group = start; group < end; group += GROUP_OF_LINES) {
      await rest();
      const groupEnd = Math.min(group + GROUP_OF_LINES, end);
      if (decodeError(group, groupEnd) === undefined) continue;
      for (let line = group; line < groupEnd; line++) {
        const error = decodeError(line, line + 1);
        const isCut = error !== undefined || (from < line && decodeError(line - 1, line + 1) !== undefined);
        if (isCut && from < line) yield { start: from, end: line };
        if (error) yield { start: line, end: line + 1, error };
        if (isCut) from = error ? line + 1 : line;
      }
    }
    if (from < end) yield { start: from, end };
  }

  function decodeError(start: number, end: number): InferenceError | undefined {
    try {
      lines.decode(start, end, contract);
      return undefined;
    } catch (error) {
      return errorOfLines(error);
    }
  }

  async function run(start: number, end: number, tried?: Part): Promise<readonly Part[]> {
    const part = tried ?? (await attempt(start, end));
    if (!('error' in part)) return [part];
    if (end - start === 1) return await failLine(part.error);
    const middle = Math.ceil((start + end) / 2);
    const [first, second] = [await attempt(start, middle), await attempt(middle, end)];
    // If both halves fail, many lines may be wrong, and each would be decoded again at every level.
    if ('error' in first && 'error' in second && end - start <= FEW_LINES) {
      const parts: Part[] = [];
      for (let line = start; line < end; line++) parts.push(...(await run(line, line + 1)));
      return parts;
    }
    return [...(await run(start, middle, first)), ...(await run(middle, end, second))];
  }

  const parts: Part[] = [];
  let elementsLeft = limits.tensorElements;
  for (let start = 0, end = 0; start < total; start = end) {
    end = Math.min(start + limits.batchSize, total);
    while (end - start > 1 && lines.sizeOf(start, end, contract) > LARGEST_PORTION) {
      end = start + Math.ceil((end - start) / 2);
    }
    const portion = await runPortion(start, end);
    elementsLeft -= portion.reduce((sum, part) => sum + countElements(part), 0);
    if (elementsLeft < 0) throw tooManyElements(limits);
    parts.push(...portion);
  }
  if (errors.length === parts.length) throw errors[0] ?? noLines();
  return parts;
}

/** Lines from `start` to `end` (exclusive) that can be decoded together, or one that cannot be decoded. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly error?: InferenceError;
}

/** An error that lines caused. @throws any other error */
function errorOfLines(error: unknown): InferenceError {
  const isOfLines = error instanceof InferenceError && STATUSES_OF_LINES.includes(error.status);
  if (isOfLines && !(error instanceof OverspentError)) return error;
  throw error;
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
  throw new InferenceError('NOT_ACCEPTABLE', [
    `Output "${name}"`,
    `has rows of the shapes [${first.shape.slice(1)}] and [${other.shape.slice(1)}], which one array cannot hold.`,
  ]);
}

/** Every line must get its own answer. */
function checkRows(outputs: NamedTensors, count: number): NamedTensors {
  for (const [name, { shape }] of outputs) {
    if (shape[0] === count) continue;
    throw new InferenceError('NOT_ACCEPTABLE', [
      `Output "${name}"`,
      `has the shape [${shape}] for ${count} lines; expected one row for each.`,
    ]);
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
  return new InferenceError('BAD_REQUEST', 'The body has no lines with values; expected at least one.');
}
