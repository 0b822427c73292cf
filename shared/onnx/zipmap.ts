import type { Edit } from './edits.ts';
import { encodeText, integerAttribute, replaceMembers } from './encode-node.ts';
import { DIMENSION, GRAPH, MODEL, NODE, SHAPE, TENSOR_TYPE, TYPE, VALUE_INFO } from './fields.ts';
import { readName } from './nodes.ts';
import { type ByteSource, encodeField, encodeVarintField, type Field, readFields } from './protobuf.ts';
import { editNodes, type PlacedNode, type Rewriting } from './rewrite-model.ts';
import { modelMessage } from './walk.ts';
import { readZipMap, ZIP_MAP, type ZipMap } from './zip-map-node.ts';

const FLOAT32 = 1;

/**
 * Rewrites a graph so that each ZipMap returns the probability matrix itself. By default, classifiers from
 * scikit-learn's converter end in a ZipMap: a sequence of maps, which cannot be sent to clients and which the runtime's
 * Node binding cannot fetch. The node becomes a Cast with the same output name, and the output an FP32 tensor [rows,
 * classes]. A Cast to the existing type costs nothing. Models that were exported for float64 pass doubles to their
 * ZipMap, which no runtime loads unchanged.
 *
 * Source: ZipMap in the ONNX-ML operator list (input tensor(float) [N, C], output sequence of map).
 */
export const replaceZipMaps: Rewriting = (source) => {
  const zipMaps = new Map<string, ZipMap>();
  const replace = ({ message, isInMainGraph }: PlacedNode) => {
    if (!isInMainGraph) return undefined;
    const zipMap = readZipMap(source, message.field);
    zipMaps.set(zipMap.output, zipMap);
    return [castNode(source, message.field)];
  };
  const nodes = editNodes(source, new Map([[ZIP_MAP, replace]]));
  return nodes.length === 0 ? [] : [...nodes, ...declareOutputs(source, zipMaps)];
};

/** Keeps the node's input, output and name; drops its attributes and its domain (ai.onnx.ml). */
function castNode(source: ByteSource, node: Field): Uint8Array {
  const kept: readonly number[] = [NODE.input, NODE.output, NODE.name];
  return replaceMembers(source, node, ({ number }) => !kept.includes(number), [
    encodeField(NODE.opType, encodeText('Cast')),
    encodeField(NODE.attribute, integerAttribute('to', FLOAT32)),
  ]);
}

/** The outputs of the graph that were ZipMaps, as tensors. */
function declareOutputs(source: ByteSource, zipMaps: ReadonlyMap<string, ZipMap>): Edit[] {
  const edits: Edit[] = [];
  for (const graph of readFields(source, 0, source.length, (number) => number === MODEL.graph)) {
    const inside = { kind: 'graph', field: graph, parent: modelMessage(source), operator: '' } as const;
    for (const output of readFields(source, graph.start, graph.end, (number) => number === GRAPH.output)) {
      const zipMap = zipMaps.get(readName(source, output, VALUE_INFO.name));
      if (!zipMap) continue;
      const bytes = encodeField(GRAPH.output, probabilityOutput(zipMap));
      edits.push({ start: output.fieldStart, end: output.end, bytes, inside });
    }
  }
  return edits;
}

function probabilityOutput(zipMap: ZipMap): Uint8Array {
  const rows = encodeField(SHAPE.dimension, new Uint8Array(0));
  const classes = encodeField(SHAPE.dimension, encodeVarintField(DIMENSION.value, zipMap.labels.length));
  const tensor = Buffer.concat([
    encodeVarintField(TENSOR_TYPE.elementType, FLOAT32),
    encodeField(TENSOR_TYPE.shape, Buffer.concat([rows, classes])),
  ]);
  return Buffer.concat([
    encodeField(VALUE_INFO.name, encodeText(zipMap.output)),
    encodeField(VALUE_INFO.type, encodeField(TYPE.tensor, tensor)),
  ]);
}
