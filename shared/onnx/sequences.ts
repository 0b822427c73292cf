import type { Edit } from './edits.ts';
import { encodeNode, encodeText } from './encode-node.ts';
import { GRAPH, MODEL, TYPE, VALUE_INFO } from './fields.ts';
import { readMembers } from './members.ts';
import { readName, readNode } from './nodes.ts';
import { type ByteSource, encodeField, type Field, readFields } from './protobuf.ts';
import { insertNodes, type PlacedNode, placeNodes, type Rewriting } from './rewrite-model.ts';
import type { ValueInfo } from './value-info.ts';
import { modelMessage } from './walk.ts';

const SEQUENCE = 'SequenceConstruct';

/** An output of a graph that is a sequence of tensors; each tensor becomes a separate output. */
export interface SequenceOutput {
  readonly output: string;
  /** The tensors by name in the graph, with the names of their new outputs. */
  readonly parts: readonly { readonly value: string; readonly name: string }[];
}

interface PlacedSequence extends SequenceOutput {
  readonly placed: PlacedNode;
  /** Where the output is declared. */
  readonly declared: Field;
}

/** Field of a sequence type that holds the type of its elements. Source: TypeProto.Sequence in onnx.proto. */
const ELEMENT = 1;

/**
 * Rewrites a graph so that an output that is a sequence of tensors becomes one output per tensor. A classifier of
 * several targets returns the probabilities of each target in a sequence, which neither clients nor the runtime's Node
 * binding can fetch. The new outputs are called `probabilities_0`, `probabilities_1` and so on.
 *
 * Source: SequenceConstruct in the ONNX operator list; the converter for MultiOutputClassifier of skl2onnx.
 */
export const splitSequences: Rewriting = (source) =>
  placeSequences(source).flatMap(({ placed, declared, parts }) => {
    const nodes = parts.map(({ value, name }) =>
      encodeNode('Identity', [encodeText(value)], [encodeText(name)]),
    );
    const names = parts.map(({ name }) => name);
    return [insertNodes(placed, nodes), declareParts(source, declared, names)];
  });

/** The outputs that are such sequences. */
export function readSequences(source: ByteSource): readonly SequenceOutput[] {
  return placeSequences(source).map(({ output, parts }) => ({ output, parts }));
}

function placeSequences(source: ByteSource): readonly PlacedSequence[] {
  const declared = new Map(
    [...membersOfGraph(source, GRAPH.output)].map((field) => [
      readName(source, field, VALUE_INFO.name),
      field,
    ]),
  );
  const taken = new Set(
    [...membersOfGraph(source, GRAPH.node)].flatMap((node) => readNode(source, node).outputs),
  );
  return [...placeNodes(source, new Set([SEQUENCE]))].flatMap((placed): PlacedSequence[] => {
    const { inputs, outputs } = readNode(source, placed.message.field);
    const [output = ''] = outputs;
    const place = placed.isInMainGraph ? declared.get(output) : undefined;
    if (!place) return [];
    const prefix = findPrefix(output, inputs.length, taken);
    const parts = inputs.map((value, index) => ({ value, name: `${prefix}${index}` }));
    return [{ placed, declared: place, output, parts }];
  });
}

/** A prefix for the names of the outputs that no existing name has. */
function findPrefix(output: string, count: number, taken: ReadonlySet<string>): string {
  let prefix = `${output}_`;
  while (Array.from({ length: count }).some((_, index) => taken.has(`${prefix}${index}`))) prefix += '_';
  return prefix;
}

function* membersOfGraph(source: ByteSource, member: number): Generator<Field> {
  for (const graph of readFields(source, 0, source.length, (number) => number === MODEL.graph)) {
    yield* readFields(source, graph.start, graph.end, (number) => number === member);
  }
}

/** One output per part, with the type of the sequence's elements. */
function declareParts(source: ByteSource, declared: Field, names: readonly string[]): Edit {
  const type = elementTypeOf(source, declared);
  const parts = names.map((name) =>
    encodeField(
      GRAPH.output,
      Buffer.concat([
        encodeField(VALUE_INFO.name, encodeText(name)),
        ...(type ? [encodeField(VALUE_INFO.type, source.bytes(type.start, type.end))] : []),
      ]),
    ),
  );
  const [graph] = readFields(source, 0, source.length, (number) => number === MODEL.graph);
  if (!graph) throw new Error('an output is in a graph');
  const inside = { kind: 'graph', field: graph, parent: modelMessage(source), operator: '' } as const;
  return { start: declared.fieldStart, end: declared.end, bytes: Buffer.concat(parts), inside };
}

function elementTypeOf(source: ByteSource, declared: Field): Field | undefined {
  const [type] = readMembers(source, declared).all(VALUE_INFO.type);
  const [sequence] = type ? readMembers(source, type).all(TYPE.sequence) : [];
  return sequence && readMembers(source, sequence).all(ELEMENT)[0];
}

/** The outputs of a graph after its sequences have been split. */
export function splitOutputs(
  outputs: readonly ValueInfo[],
  sequences: readonly SequenceOutput[],
): readonly ValueInfo[] {
  return outputs.flatMap((output) => {
    const found = sequences.find((sequence) => sequence.output === output.name);
    return found ? found.parts.map(({ name }): ValueInfo => ({ ...output, name, kind: 'tensor' })) : [output];
  });
}

/** The value in the graph for each output. */
export function valuesOf(
  outputs: readonly ValueInfo[],
  sequences: readonly SequenceOutput[],
): ReadonlyMap<string, string> {
  const parts = new Map(
    sequences.flatMap(({ parts }) => parts.map(({ name, value }) => [name, value] as const)),
  );
  return new Map(outputs.map(({ name }) => [name, parts.get(name) ?? name]));
}
