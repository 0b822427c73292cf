import { type ExternalData, readExternalData } from './external-data.ts';
import { GRAPH, MODEL } from './fields.ts';
import { canNeedGuards, findGuards, type Guards, NO_GUARDS } from './guard-operators.ts';
import { findNovelty, isNewer, type Novelty } from './ir-version.ts';
import { gatherMetadata, type Metadata } from './metadata.ts';
import { type MlOutputs, NO_ML_OUTPUTS, readMlOutputs } from './ml-outputs.ts';
import { ML_DOMAIN } from './nodes.ts';
import { findProbabilities } from './probabilities.ts';
import { type ByteSource, type Field, readFields, readText } from './protobuf.ts';
import { readOpsetImport } from './rewrite-model.ts';
import { findRisks, isRepeating, isSuspect, type Risk, type SuspectNode } from './risks.ts';
import { readSequences, SEQUENCE, type SequenceOutput, splitOutputs, valuesOf } from './sequences.ts';
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
 * Reads what Ternion needs from an ONNX file. Weights are skipped, not read.
 *
 * @throws ProtobufError when the bytes are not a protocol buffers message
 */
export function readGraph(source: ByteSource): Graph {
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
  const mlOutputs =
    body && opsets.has(ML_DOMAIN)
      ? readMlOutputs(source, body, inputs, namesOf(outputs), producer)
      : NO_ML_OUTPUTS;
  const nodes = readNodes(source);
  const sequences = nodes.operators.has(SEQUENCE) ? readSequences(source) : [];
  const split = splitOutputs(outputs, sequences);
  const probabilities = body
    ? findProbabilities(source, body, valuesOf(split, sequences))
    : new Set<string>();
  const guards = canNeedGuards(nodes.operators) ? findGuards(source, Number.POSITIVE_INFINITY) : NO_GUARDS;
  const novelty = isNewer(irVersion) ? findNovelty(source) : undefined;
  const said = {
    irVersion,
    producer,
    novelty,
    opsets,
    inputs,
    outputs: split,
    sequences,
    metadata: metadata.entries,
  };
  return { ...said, probabilities, ...nodes, guards, ...mlOutputs };
}

function namesOf(values: readonly ValueInfo[]): string[] {
  return values.map(({ name }) => name);
}

function isInputOrOutput(number: number): boolean {
  return number === GRAPH.input || number === GRAPH.output;
}

/** Collects what is needed from all nodes and tensors in one walk. */
function readNodes(source: ByteSource): Pick<Graph, 'zipMaps' | 'operators' | 'externalData' | 'risks'> {
  const operators = new Set<string>();
  const zipMaps: ZipMap[] = [];
  const entries: Message[] = [];
  const constants: Message[] = [];
  const suspects: SuspectNode[] = [];
  const repeated = new Set<Message>();
  for (const message of walkModel(source)) {
    const { parent } = message;
    const isRepeated = parent !== undefined && (isRepeating(parent) || repeated.has(parent));
    if (isRepeated) repeated.add(message);
    if (message.kind === 'entry') entries.push(message);
    const isInitializer = message.kind === 'tensor' && parent?.kind === 'graph';
    if (isInitializer || message.operator === 'Constant') constants.push(message);
    if (message.kind !== 'node') continue;
    operators.add(message.operator);
    if (isSuspect(message)) suspects.push({ message, isRepeated });
    if (message.operator === ZIP_MAP && parent && isMainGraph(parent))
      zipMaps.push(readZipMap(source, message.field));
  }
  const risks = findRisks(source, suspects, constants);
  return { operators, zipMaps, risks, externalData: readExternalData(source, entries) };
}
