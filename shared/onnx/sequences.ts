import type { Edit } from './edits.ts';
import { encodeNode, encodeText } from './encode-node.ts';
import { GRAPH, MODEL, TYPE, VALUE_INFO } from './fields.ts';
import { readMembers } from './members.ts';
import { readNode } from './nodes.ts';
import { type ByteSource, encodeField, type Field, readFields } from './protobuf.ts';
import { insertNodes, placeNodes, type Rewriting } from './rewrite-model.ts';
import { readValueInfo, type ValueInfo } from './value-info.ts';
import { modelMessage } from './walk.ts';

export const SEQUENCE = 'SequenceConstruct';

/** An output of a graph that is a sequence of tensors, each of which becomes an output of its own. */
export interface SequenceOutput {
  readonly output: string;
  /** Names of the tensors in the graph. */
  readonly parts: readonly string[];
}

/** Field of a sequence type that holds the type of its elements. Source: TypeProto.Sequence in onnx.proto. */
const ELEMENT = 1;

/**
 * Rewrites a graph so that an output which is a sequence of tensors becomes one output for each of them. A classifier of
 * several targets gives the probabilities of each target in a sequence, which neither clients nor the runtime's Node
 * binding can fetch. The outputs are called `probabilities_0`, `probabilities_1` and so on.
 *
 * Source: SequenceConstruct in the ONNX operator list; the converter for MultiOutputClassifier of skl2onnx.
 */
export const splitSequences: Rewriting = (source) => {
  const edits: Edit[] = [];
  const outputs = outputsOf(source);
  for (const placed of placeNodes(source, new Set([SEQUENCE]))) {
    if (!placed.isInMainGraph) continue;
    const { output, parts } = readSequence(source, placed.message.field);
    const declared = outputs.find((field) => readValueInfo(source, field).name === output);
    if (!declared) continue;
    const nodes = parts.map((part, index) =>
      encodeNode('Identity', [encodeText(part)], [encodeText(partName(output, index))]),
    );
    edits.push(insertNodes(placed, nodes), declareParts(source, declared, output, parts.length));
  }
  return edits;
};

function outputsOf(source: ByteSource): Field[] {
  return [...readFields(source, 0, source.length, (number) => number === MODEL.graph)].flatMap((graph) => [
    ...readFields(source, graph.start, graph.end, (number) => number === GRAPH.output),
  ]);
}

/** The output, as one for each part of the type that its elements have. */
function declareParts(source: ByteSource, declared: Field, output: string, count: number): Edit {
  const type = elementTypeOf(source, declared);
  const parts = Array.from({ length: count }, (_, index) =>
    encodeField(
      GRAPH.output,
      Buffer.concat([
        encodeField(VALUE_INFO.name, encodeText(partName(output, index))),
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

/** What a node says that makes a sequence. */
export function readSequence(source: ByteSource, node: Field): SequenceOutput {
  const { inputs, outputs } = readNode(source, node);
  return { output: outputs[0] ?? '', parts: inputs };
}

function partName(output: string, index: number): string {
  return `${output}_${index}`;
}

/** The outputs of a graph as they are once its sequences are split. */
export function splitOutputs(
  outputs: readonly ValueInfo[],
  sequences: readonly SequenceOutput[],
): readonly ValueInfo[] {
  return outputs.flatMap((output) => {
    const found = sequences.find((sequence) => sequence.output === output.name);
    if (!found) return [output];
    return found.parts.map((_, index): ValueInfo => {
      return { ...output, name: partName(output.name, index), kind: 'tensor' };
    });
  });
}

/** The names of values in a graph by the outputs that they become. */
export function partsByOutput(sequences: readonly SequenceOutput[]): ReadonlyMap<string, string> {
  return new Map(
    sequences.flatMap(({ output, parts }) =>
      parts.map((part, index) => [partName(output, index), part] as const),
    ),
  );
}
