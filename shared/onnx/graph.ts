import { type ExternalData, readExternalData } from './external-data.ts';
import { GRAPH, MODEL } from './fields.ts';
import type { Guards } from './guard-search.ts';
import { isNewer, type Novelty } from './ir-version.ts';
import { gatherMetadata, type Metadata } from './metadata.ts';
import type { MlOutputs } from './ml-outputs.ts';
import { ML_DOMAIN, readNode } from './nodes.ts';
import { haveOneOpenOperand } from './open-operands.ts';
import { canNeedGuard, canNeedRareGuards, isUnbounded } from './operator-kinds.ts';
import { type ByteSource, type Field, readFields, readText } from './protobuf.ts';
import { readOpsetImport } from './rewrite-model.ts';
import { findRisks, isRepeating, isSuspect, type Risk, type SuspectNode } from './risks.ts';
import type { SequenceOutput } from './sequences.ts';
import { readValueInfo, type ValueInfo } from './value-info.ts';
import { isMainGraph, type Message, walkModel } from './walk.ts';
import { readZipMap, ZIP_MAP, type ZipMap } from './zip-map-node.ts';

export interface Graph extends MlOutputs {
  /** Version of the file format; undefined if the file does not say. */
  readonly irVersion: number | undefined;
  /** The name of the program that wrote the file. */
  readonly producer: string;
  /** What a file that is newer than the runtime uses that the runtime does not know. */
  readonly novelty: Novelty | undefined;
  readonly opsets: ReadonlyMap<string, number>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly zipMaps: readonly ZipMap[];
  /** Outputs that are sequences in the file; `outputs` lists their parts. */
  readonly sequences: readonly SequenceOutput[];
  /** Outputs whose values the graph shows to be probabilities. */
  readonly probabilities: ReadonlySet<string>;
  /** The operators of its nodes, including those in nested graphs and functions: `TopK`, `ai.onnx.ml.ZipMap`. */
  readonly operators: ReadonlySet<string>;
  /** What in it should first be tried in a separate process. */
  readonly risks: readonly Risk[];
  /** The changes to it that prevent any request from ending the process. */
  readonly guards: Guards;
  /** The metadata of the file. */
  readonly metadata: readonly Metadata[];
  /** Its tensors whose bytes are in other files. */
  readonly externalData: readonly ExternalData[];
}

/**
 * Reads what Ternion needs from an ONNX file. Weights are skipped, not read. The code for what few graphs have is loaded
 * with the first graph that has it.
 *
 * @throws ProtobufError when the bytes are not a protocol buffers message
 */
export async function readGraph(source: ByteSource): Promise<Graph> {
  const opsets = new Map<string, number>();
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  let producer = '';
  let irVersion: number | undefined;
  let body: Field | undefined;
  const metadata = gatherMetadata(source);
  for (const field of readFields(source)) {
    metadata.take(field);
    if (field.number === MODEL.opsetImport) {
      const { domain, version } = readOpsetImport(source, field);
      opsets.set(domain, version);
    }
    if (field.number === MODEL.irVersion) irVersion = field.value;
    if (field.number === MODEL.producer) producer = readText(source, field);
    if (field.number !== MODEL.graph) continue;
    body = field;
    for (const part of readFields(source, field.start, field.end, isInputOrOutput)) {
      (part.number === GRAPH.input ? inputs : outputs).push(readValueInfo(source, part));
    }
  }
  const { lastNodes, guardable, initializers, ...nodes } = readNodes(source);
  const split = await readOutputs(source, outputs, nodes.operators);
  const mlOutputs =
    body && opsets.has(ML_DOMAIN)
      ? (await import('./ml-outputs.ts')).readMlOutputs(source, body, inputs, namesOf(outputs), producer)
      : NO_ML_OUTPUTS;
  const probabilities =
    body && !areUnbounded(source, lastNodes, split.values.values())
      ? (await import('./probabilities.ts')).findProbabilities(source, body, split.values)
      : new Set<string>();
  const guards = await readGuards(source, nodes.operators, guardable, initializers);
  const novelty = isNewer(irVersion) ? (await import('./novelty.ts')).findNovelty(source) : undefined;
  const said = {
    irVersion,
    producer,
    novelty,
    opsets,
    inputs,
    outputs: split.outputs,
    sequences: split.sequences,
    metadata: metadata.entries,
  };
  return { ...said, probabilities, ...nodes, guards, ...mlOutputs };
}

const NO_ML_OUTPUTS: MlOutputs = {
  classLabels: new Map(),
  swappedScores: new Set(),
  regressions: new Set(),
  columnExamples: new Map(),
  missingInputs: new Set(),
};

/** The operator that makes a sequence. */
const SEQUENCE = 'SequenceConstruct';

/** The outputs, of which each that is a sequence is split into its parts, with their values in the graph. */
async function readOutputs(
  source: ByteSource,
  outputs: readonly ValueInfo[],
  operators: ReadonlySet<string>,
): Promise<Pick<Graph, 'outputs' | 'sequences'> & { readonly values: ReadonlyMap<string, string> }> {
  if (!operators.has(SEQUENCE)) {
    return { outputs, sequences: [], values: new Map(outputs.map(({ name }) => [name, name])) };
  }
  const { readSequences, splitOutputs, valuesOf } = await import('./sequences.ts');
  const sequences = readSequences(source);
  const split = splitOutputs(outputs, sequences);
  return { outputs: split, sequences, values: valuesOf(split, sequences) };
}

async function readGuards(
  source: ByteSource,
  operators: ReadonlySet<string>,
  guardable: readonly Message[],
  initializers: readonly Message[],
): Promise<Guards> {
  const isRare = canNeedRareGuards(operators);
  if (!isRare && haveOneOpenOperand(source, guardable, initializers)) return { edits: [], refusals: [] };
  const { findGuards } = await import('./guard-search.ts');
  const table = isRare
    ? (await import('./guard-operators.ts')).GUARDS
    : (await import('./guard-usual.ts')).USUAL_GUARDS;
  return findGuards(source, Number.POSITIVE_INFINITY, table);
}

/** Whether the last nodes make all of these values, by operators that say nothing about their bounds. */
function areUnbounded(source: ByteSource, lastNodes: readonly Message[], values: Iterable<string>): boolean {
  const nodes = lastNodes.map(({ field }) => readNode(source, field));
  const unbounded = nodes.filter(({ type }) => isUnbounded(type));
  return [...values].every(
    (value) =>
      unbounded.some(({ outputs }) => outputs.includes(value)) &&
      nodes.every((node) => unbounded.includes(node) || !node.outputs.includes(value)),
  );
}

/** Nodes at the end of a graph, which make most of its outputs. */
const LAST_NODES = 16;

function namesOf(values: readonly ValueInfo[]): string[] {
  return values.map(({ name }) => name);
}

function isInputOrOutput(number: number): boolean {
  return number === GRAPH.input || number === GRAPH.output;
}

/** Collects what is needed from all nodes and tensors in one walk. */
function readNodes(source: ByteSource): Pick<Graph, 'zipMaps' | 'operators' | 'externalData' | 'risks'> & {
  readonly lastNodes: readonly Message[];
  /** Nodes that can need a guard. */
  readonly guardable: readonly Message[];
  readonly initializers: readonly Message[];
} {
  const operators = new Set<string>();
  const zipMaps: ZipMap[] = [];
  const entries: Message[] = [];
  const constants: Message[] = [];
  const initializers: Message[] = [];
  const guardable: Message[] = [];
  const suspects: SuspectNode[] = [];
  const lastNodes: Message[] = [];
  const repeated = new Set<Message>();
  for (const message of walkModel(source)) {
    const { parent } = message;
    const isRepeated = parent !== undefined && (isRepeating(parent) || repeated.has(parent));
    if (isRepeated) repeated.add(message);
    if (message.kind === 'entry') entries.push(message);
    const isInitializer = message.kind === 'tensor' && parent?.kind === 'graph';
    if (isInitializer) initializers.push(message);
    if (isInitializer || message.operator === 'Constant') constants.push(message);
    if (message.kind !== 'node') continue;
    operators.add(message.operator);
    if (canNeedGuard(message.operator)) guardable.push(message);
    if (isSuspect(message)) suspects.push({ message, isRepeated });
    if (!parent || !isMainGraph(parent)) continue;
    if (message.operator === ZIP_MAP) zipMaps.push(readZipMap(source, message.field));
    lastNodes.push(message);
    if (lastNodes.length > 2 * LAST_NODES) lastNodes.splice(0, LAST_NODES);
  }
  const risks = findRisks(source, suspects, constants);
  const externalData = readExternalData(source, entries);
  return { operators, zipMaps, risks, lastNodes, guardable, initializers, externalData };
}
