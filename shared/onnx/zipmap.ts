import {
  ATTRIBUTE,
  ATTRIBUTE_TYPES,
  DIMENSION,
  GRAPH,
  MODEL,
  NODE,
  OPSET,
  SHAPE,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from './fields.ts';
import { readZipMap, type ZipMap } from './graph.ts';
import { mapFields, textOf } from './messages.ts';
import { bytesSource, encodeField, encodeVarintField, type Field, readFields } from './protobuf.ts';

const FLOAT32 = 1;
/** This version has Cast and is known to every runtime that loads files without the default operator set. */
const CAST_OPSET = 13;

/**
 * Rewrites a graph so that each ZipMap gives the probability matrix itself. Classifiers that scikit-learn's converter
 * exports by default end in a ZipMap, a sequence of maps no client can be sent and the runtime's Node binding cannot
 * fetch. The node becomes a Cast under the same output name, the output an FP32 tensor [rows, classes]; all other
 * bytes of the file stay as they are. A Cast to the type that is there already costs nothing; models that were exported
 * for float64 give doubles to their ZipMap, which no runtime loads as it is.
 *
 * Source: ZipMap in the ONNX-ML operator list (input tensor(float) [N, C], output sequence of map).
 */
export function rewriteZipMaps(model: Uint8Array): Uint8Array {
  let hasDefaultOpset = false;
  const rewritten = mapFields(model, undefined, (field) => {
    if (field.number === MODEL.opsetImport && isDefaultOpset(model, field)) hasDefaultOpset = true;
    return field.number === MODEL.graph ? encodeField(MODEL.graph, rewriteGraph(model, field)) : undefined;
  });
  if (hasDefaultOpset) return rewritten;
  const opset = encodeField(MODEL.opsetImport, encodeVarintField(OPSET.version, CAST_OPSET));
  return Buffer.concat([rewritten, opset]);
}

function rewriteGraph(model: Uint8Array, graph: Field): Uint8Array {
  const source = bytesSource(model);
  const zipMaps = new Map<string, ZipMap>();
  for (const part of readFields(source, graph.start, graph.end)) {
    if (part.number !== GRAPH.node) continue;
    for (const zipMap of readZipMap(source, part)) zipMaps.set(zipMap.output, zipMap);
  }
  return mapFields(model, graph, (part) => {
    if (part.number === GRAPH.node && readZipMap(source, part).length > 0) {
      return encodeField(GRAPH.node, castNode(model, part));
    }
    const zipMap =
      part.number === GRAPH.output ? zipMaps.get(textOf(model, part, VALUE_INFO.name)) : undefined;
    return zipMap && encodeField(GRAPH.output, probabilityOutput(zipMap));
  });
}

/** Keeps the node's input, output and name; its attributes and its domain (ai.onnx.ml) go. */
function castNode(model: Uint8Array, node: Field): Uint8Array {
  const kept: readonly number[] = [NODE.input, NODE.output, NODE.name];
  const members = mapFields(model, node, ({ number }) =>
    kept.includes(number) ? undefined : new Uint8Array(0),
  );
  const to = Buffer.concat([
    encodeField(ATTRIBUTE.name, text('to')),
    encodeVarintField(ATTRIBUTE.integer, FLOAT32),
    encodeVarintField(ATTRIBUTE.type, ATTRIBUTE_TYPES.integer),
  ]);
  return Buffer.concat([members, encodeField(NODE.opType, text('Cast')), encodeField(NODE.attribute, to)]);
}

function probabilityOutput(zipMap: ZipMap): Uint8Array {
  const rows = encodeField(SHAPE.dimension, new Uint8Array(0));
  const classes = encodeField(SHAPE.dimension, encodeVarintField(DIMENSION.value, zipMap.labels.length));
  const tensor = Buffer.concat([
    encodeVarintField(TENSOR_TYPE.elementType, FLOAT32),
    encodeField(TENSOR_TYPE.shape, Buffer.concat([rows, classes])),
  ]);
  return Buffer.concat([
    encodeField(VALUE_INFO.name, text(zipMap.output)),
    encodeField(VALUE_INFO.type, encodeField(TYPE.tensor, tensor)),
  ]);
}

/** The default operator set has the domain '' or, in some files, its long name. */
function isDefaultOpset(model: Uint8Array, opset: Field): boolean {
  return ['', 'ai.onnx'].includes(textOf(model, opset, OPSET.domain));
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
