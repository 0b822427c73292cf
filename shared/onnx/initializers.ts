import { GRAPH, MODEL, TENSOR } from './fields.ts';
import { type ByteSource, readFields, readText, readVarints } from './protobuf.ts';

/**
 * The weights of a model: the number of elements of each initializer by name, inside or outside of the file. Constants
 * inside nodes, such as the trees of a forest, do not count.
 *
 * @throws ProtobufError when the bytes are not a protocol buffers message
 */
export function readInitializers(source: ByteSource): ReadonlyMap<string, number> {
  const initializers = new Map<string, number>();
  for (const field of readFields(source)) {
    if (field.number !== MODEL.graph) continue;
    for (const part of readFields(source, field.start, field.end)) {
      if (part.number !== GRAPH.initializer) continue;
      let name = '';
      let elements = 1;
      for (const member of readFields(source, part.start, part.end)) {
        if (member.number === TENSOR.name) name = readText(source, member);
        if (member.number !== TENSOR.dims) continue;
        for (const size of readVarints(source, member)) elements *= size;
      }
      initializers.set(name, elements);
    }
  }
  return initializers;
}
