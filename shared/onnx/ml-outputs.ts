import { type ColumnExamples, findColumnExamples } from './column-examples.ts';
import { ATTRIBUTE, GRAPH, TENSOR } from './fields.ts';
import { fillsEmpty, findMissingInputs } from './missing-values.ts';
import { groupByInput, ML_DOMAIN, type Node, readList, readName, readNode } from './nodes.ts';
import { type ByteSource, type Field, readFields, readText, readVarints } from './protobuf.ts';
import type { ValueInfo } from './value-info.ts';

export type ClassLabels = readonly string[] | readonly number[];

/** What the operators of the domain `ai.onnx.ml` show about a graph's outputs. */
export interface MlOutputs {
  /** Outputs that hold predicted labels, with all labels in the order of the classes. */
  readonly classLabels: ReadonlyMap<string, ClassLabels>;
  /** Outputs whose two scores are swapped. */
  readonly swappedScores: ReadonlySet<string>;
  /** Outputs that hold predictions of a regressor. */
  readonly regressions: ReadonlySet<string>;
  /** Values that columns of the inputs had in training, if the graph shows them. */
  readonly columnExamples: ColumnExamples;
  /** Inputs whose values can be missing: all operators that use them support NaN, or the empty text. */
  readonly missingInputs: ReadonlySet<string>;
}

const CLASSIFIERS = ['TreeEnsembleClassifier', 'LinearClassifier', 'SVMClassifier'];
const REGRESSORS = ['TreeEnsembleRegressor', 'LinearRegressor', 'SVMRegressor'];
/** Operators that pass the values of their first input in another shape or type. */
const PASSING = ['Identity', 'Cast', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten'];
/** Operators that add up, scale or shift the predictions of several regressors. */
const COMBINING = [...PASSING, 'Add', 'Sub', 'Mul', 'Div', 'Sum', 'Mean', 'Neg', 'Exp'];
/** Most steps back from an output; only broken graphs have cycles. */
const LONGEST_WAY = 32;

/**
 * Follows each output back to the operator that makes it, and each input forward to those that use it.
 * Source: the ONNX-ML operator list (attributes of the classifiers, ArrayFeatureExtractor, LabelEncoder).
 *
 * @param graph the field of the file that holds the graph
 * @param producer name of the program that wrote the file
 */
export function readMlOutputs(
  source: ByteSource,
  graph: Field,
  inputs: readonly ValueInfo[],
  outputs: readonly string[],
  producer: string,
): MlOutputs {
  const parts = [...readFields(source, graph.start, graph.end)];
  const nodes = parts.filter(({ number }) => number === GRAPH.node).map((part) => readNode(source, part));
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const constants = once(() => nameConstants(source, parts));
  const way: Way = { source, makers, constants, found: new Map() };
  const classLabels = new Map<string, ClassLabels>();
  for (const output of outputs) {
    const labels = findLabels(way, output, 0);
    if (labels && labels.length > 0) classLabels.set(output, labels);
  }
  const swappedScores = new Set(outputs.filter((output) => isSwapped(way, output)));
  const predicted = followRegressors(nodes);
  const regressions = new Set(outputs.filter((output) => predicted.has(output)));
  const names = inputs.map(({ name }) => name);
  return {
    classLabels,
    swappedScores,
    regressions,
    columnExamples: findColumnExamples(source, nodes, inputs, constants, (node) =>
      fillsEmpty(source, node, makers),
    ),
    missingInputs: findMissingInputs(source, nodes, names, producer),
  };
}

interface Way {
  readonly source: ByteSource;
  readonly makers: ReadonlyMap<string, Node>;
  /** Initializers by name. */
  readonly constants: () => ReadonlyMap<string, Field>;
  /** Labels that were found; many outputs can come from one value. */
  readonly found: Map<string, ClassLabels | undefined>;
}

function nameConstants(source: ByteSource, parts: readonly Field[]): ReadonlyMap<string, Field> {
  const constants = parts.filter(({ number }) => number === GRAPH.initializer);
  return new Map(constants.map((tensor) => [readName(source, tensor, TENSOR.name), tensor]));
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function findLabels(way: Way, name: string, steps: number): ClassLabels | undefined {
  if (way.found.has(name)) return way.found.get(name);
  const labels = lookForLabels(way, name, steps);
  way.found.set(name, labels);
  return labels;
}

function lookForLabels(way: Way, name: string, steps: number): ClassLabels | undefined {
  const node = way.makers.get(name);
  const [first = ''] = node?.inputs ?? [];
  if (!node || steps > LONGEST_WAY) return undefined;
  if (PASSING.includes(node.type)) return findLabels(way, first, steps + 1);
  if (node.domain !== ML_DOMAIN) return undefined;
  if (CLASSIFIERS.includes(node.type)) {
    return node.outputs[0] === name ? readList(way.source, node, 'classlabels') : undefined;
  }
  if (node.type === 'ArrayFeatureExtractor') return readConstant(way, first);
  if (node.type !== 'LabelEncoder') return undefined;
  const keys: readonly (string | number)[] = readList(way.source, node, 'keys') ?? [];
  const values = readList(way.source, node, 'values');
  // If a key occurs twice, the first entry counts.
  const placeOf = new Map(keys.map((key, place) => [key, place] as const).reverse());
  const places = findLabels(way, first, steps + 1)?.map((label) => placeOf.get(label) ?? -1);
  return values && places && pick(values, places);
}

function pick(values: ClassLabels, places: readonly number[]): ClassLabels | undefined {
  const picked = places.flatMap((place) => values[place] ?? []);
  if (picked.length !== places.length) return undefined;
  const texts = picked.filter((value) => typeof value === 'string');
  return texts.length > 0 ? texts : picked.filter((value) => typeof value === 'number');
}

/**
 * Whether scores come from an SVMClassifier with two classes and without `prob_a`. The runtime chooses the first class
 * by a number, but then gives that class the negative of the number, and the second class the number itself.
 */
function isSwapped({ source, makers }: Way, output: string): boolean {
  let name = output;
  for (let steps = 0; steps < LONGEST_WAY; steps++) {
    const node = makers.get(name);
    if (!node) return false;
    if (node.type === 'SVMClassifier') {
      const isOfScores = node.outputs[1] === name;
      return (
        isOfScores && readList(source, node, 'classlabels')?.length === 2 && !hasList(source, node, 'prob_a')
      );
    }
    if (!PASSING.includes(node.type) && node.type !== 'ZipMap') return false;
    name = node.inputs[0] ?? '';
  }
  return false;
}

/** All values computed from predictions of regressors by operators that keep them predictions. */
function followRegressors(nodes: readonly Node[]): ReadonlySet<string> {
  const takers = groupByInput(
    nodes.filter(({ domain, type }) => domain !== ML_DOMAIN && COMBINING.includes(type)),
  );
  const regressors = nodes.filter(({ domain, type }) => domain === ML_DOMAIN && REGRESSORS.includes(type));
  const found = new Set(regressors.flatMap(({ outputs }) => outputs));
  // The loop also visits names that are added to the set meanwhile, each once, so it ends even if a broken graph has
  // cycles.
  for (const name of found) {
    for (const taker of takers.get(name) ?? []) for (const output of taker.outputs) found.add(output);
  }
  return found;
}

function hasList(source: ByteSource, { attributes }: Node, name: string): boolean {
  return attributes.some(
    (attribute) =>
      readName(source, attribute, ATTRIBUTE.name) === name &&
      [...readFields(source, attribute.start, attribute.end)].some(
        ({ number }) => number === ATTRIBUTE.floats,
      ),
  );
}

/** The elements of a constant of strings or whole numbers. */
function readConstant({ source, constants }: Way, name: string): ClassLabels | undefined {
  const constant = constants().get(name);
  if (!constant) return undefined;
  const members = [...readFields(source, constant.start, constant.end)];
  const of = (number: number) => members.filter((member) => member.number === number);
  const strings = of(TENSOR.strings).map((member) => readText(source, member));
  if (strings.length > 0) return strings;
  const [raw] = of(TENSOR.raw);
  if (!raw) return [...of(TENSOR.int32s), ...of(TENSOR.int64s)].flatMap((list) => readVarints(source, list));
  const bytes = Buffer.from(source.bytes(raw.start, raw.end));
  const size = RAW_BYTES[of(TENSOR.type)[0]?.value ?? 0];
  if (size === undefined) return undefined;
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, index) =>
    size === 4 ? bytes.readInt32LE(index * size) : Number(bytes.readBigInt64LE(index * size)),
  );
}

/** Bytes of one element of int32 and int64, by their numbers in the standard. */
const RAW_BYTES: Readonly<Record<number, 4 | 8>> = { 6: 4, 7: 8 };
