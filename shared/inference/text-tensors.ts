import type { Budget } from '../budget.ts';
import type { Limits } from '../config.ts';
import { invalid } from '../errors.ts';
import type { NamedTensors } from '../runtime/session.ts';
import { concatRows, type Tensor } from '../tensor/tensor.ts';
import type { TextInput } from '../values/contract.ts';
import type { FieldValue, TextValue } from '../values/input.ts';
import { checkInstances } from '../values/instances.ts';
import {
  type BytesInput,
  expectElement,
  isBytesInput,
  type NamedInputs,
  type TensorInput,
} from '../values/named-inputs.ts';
import { findPair, noPairs } from '../values/text-value.ts';
import type { BoundGraph } from './bound-graph.ts';
import { decodeUtf8 } from './decode-utf8.ts';
import type { InferenceOutput } from './output.ts';
import type { Runner } from './run-batch.ts';
import type { Batch, Preprocessor } from './task.ts';

/**
 * Renames the only input to the name in the graph, for a graph that takes texts directly: clients may use any name.
 * Other inputs stay unchanged.
 */
export function nameTexts(inputs: NamedInputs, textInput: TextInput | undefined): NamedInputs {
  const [only, ...others] = inputs.values();
  if (!textInput || textInput.isPrepared || only?.datatype !== 'BYTES' || others.length > 0) return inputs;
  return new Map([[textInput.name, only]]);
}

/**
 * The feeds for the texts of a request; undefined if the inputs contain no texts, or the graph takes them directly.
 *
 * @throws InferenceError for a shape that texts cannot have, and what the preprocessing throws
 */
export async function prepareTexts(
  preprocessor: Preprocessor | undefined,
  inputs: NamedInputs,
  budget: Budget,
): Promise<Batch | undefined> {
  const textInput = preprocessor?.textInput;
  const given = [...inputs.values()];
  if (!textInput?.isPrepared || given.length === 0 || given.some(({ datatype }) => datatype !== 'BYTES')) {
    return undefined;
  }
  const texts = readTexts(inputs, textInput, budget.limits);
  return await preprocessor?.preprocess({ kind: 'text', texts }, budget);
}

/**
 * The texts in one input, or the pairs of texts in one or two.
 *
 * @throws InferenceError for a shape that texts cannot have, and for too many
 */
export function readTexts(
  inputs: NamedInputs,
  textInput: Pick<TextInput, 'name' | 'takesPairs'>,
  limits: Limits,
): FieldValue<TextValue>[] {
  const texts = inputs.size === 1 ? readOne(inputs, textInput) : readTwo(inputs);
  checkInstances(texts.length, texts[0]?.field.replace(/\[\d+\]$/, '') ?? textInput.name, limits);
  return texts;
}

/** Name of the output with the vectors of texts, as in exports of sentence-transformers. */
export const VECTORS_OUTPUT = 'sentence_embedding';

/**
 * The outputs for texts. An embedding model returns its vectors by default: the graph's outputs have values for each
 * token, including padding, and are neither pooled nor normalized. Clients can still request those by name.
 *
 * @param outputs the requested names; undefined for all outputs of the model
 * @throws InferenceError when an output does not exist
 */
export async function inferTexts(
  batch: Batch,
  { session, task: { postprocessor } }: Pick<BoundGraph, 'session' | 'task'>,
  outputs: readonly string[] | undefined,
  run: Runner,
): Promise<NamedTensors> {
  const names = session.outputs.map(({ name }) => name);
  const maker = postprocessor?.givesVectors ? postprocessor : undefined;
  const wanted = outputs ?? (maker ? [VECTORS_OUTPUT] : names);
  const isVectors = (name: string) => maker !== undefined && name === VECTORS_OUTPUT;
  const ofGraph = wanted.filter((name) => !isVectors(name));
  checkFetches(ofGraph, maker ? [...names, VECTORS_OUTPUT] : names);
  const needed = ofGraph.length < wanted.length ? (maker?.fetches ?? []) : [];
  const given = await run(batch.feeds, {
    fetches: [...new Set([...ofGraph, ...needed])],
    layout: 'instances',
  });
  return new Map(
    wanted.flatMap((name) => {
      const tensor =
        maker && isVectors(name) ? stackVectors(maker.postprocess(given, batch)) : given.get(name);
      return tensor ? [[name, tensor]] : [];
    }),
  );
}

function stackVectors(output: InferenceOutput): Tensor {
  if (output.kind !== 'embedding') throw new Error(`a task gave ${output.kind} instead of vectors`);
  const [first, ...others] = output.predictions.map((vector) => ({ ...vector, shape: [1, ...vector.shape] }));
  if (!first) throw new Error('a task gave no vectors');
  return concatRows([first, ...others]);
}

/** @throws InferenceError for an output that the model does not have */
export function checkFetches(names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const shown = known.map((name) => `"${name}"`).join(', ') || 'none';
  throw invalid(`There is no output ${JSON.stringify(unknown.slice(0, 100))}; the model has ${shown}.`);
}

/** Texts of shape [N], or pairs of shape [N,2]. */
function readOne(
  inputs: NamedInputs,
  { takesPairs }: Pick<TextInput, 'takesPairs'>,
): FieldValue<TextValue>[] {
  const [[name, input] = ['', undefined]] = inputs;
  const [count = 1, width = 1, ...more] = input?.shape ?? [];
  const texts = input ? elementsOf(input, name) : [];
  if (more.length > 0 || width < 1 || width > 2 || count * width !== texts.length) {
    const pairs = takesPairs ? ', and pairs of texts [N,2]' : '';
    throw invalid(`Input "${name}"`, `has the shape [${input?.shape}]; texts have the shape [N]${pairs}.`);
  }
  if (texts.length === 0) throw invalid(`Input "${name}"`, 'has no texts.');
  if (width === 1) return texts;
  if (!takesPairs) throw noPairs(name);
  return join(
    texts.filter((_, index) => index % 2 === 0),
    texts.filter((_, index) => index % 2 === 1),
  );
}

/** Two inputs with the names of a pair. */
function readTwo(inputs: NamedInputs): FieldValue<TextValue>[] {
  const names = [...inputs.keys()];
  const pair = names.length === 2 ? findPair(names) : undefined;
  const [texts = [], pairs = []] = (pair ?? []).map((name) => {
    const input = inputs.get(name);
    return input ? elementsOf(input, name) : [];
  });
  if (pair && texts.length === pairs.length) return join(texts, pairs);
  const shown = names.slice(0, 8).map((name) => JSON.stringify(name.slice(0, 40)));
  throw invalid(
    pair
      ? `Input "${pair[1]}" has ${pairs.length} texts; "${pair[0]}" has ${texts.length}.`
      : `The texts come in the inputs ${shown.join(', ')}; expected one input, or "text" and "text_pair" for pairs.`,
  );
}

function join(
  texts: readonly FieldValue<string>[],
  pairs: readonly FieldValue<string>[],
): FieldValue<TextValue>[] {
  return texts.map(({ value, field }, index) => ({
    value: { text: value, pair: pairs[index]?.value ?? '' },
    field,
  }));
}

function elementsOf(input: TensorInput, name: string): FieldValue<string>[] {
  const elements: BytesInput['elements'] = isBytesInput(input)
    ? input.elements
    : Array.from(input.data, String);
  return elements.map((each, index) => {
    const element = expectElement(each, index, name);
    return {
      value: typeof element === 'string' ? element : decodeUtf8(element, index, `Input "${name}"`),
      field: elements.length === 1 ? name : `${name}[${index}]`,
    };
  });
}
