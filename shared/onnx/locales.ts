import { ATTRIBUTE, ATTRIBUTE_TYPES, GRAPH, MODEL, NODE } from './fields.ts';
import {
  bytesSource,
  encodeField,
  encodeVarintField,
  type Field,
  readFields,
  readText,
  whole,
} from './protobuf.ts';

/**
 * A locale that knows how to lower all of Unicode and that function images have; they lack the runtime's default,
 * en_US.UTF-8. Letters have the same lower and upper case in both.
 */
const LOCALE = 'C.UTF-8';

/**
 * Gives each StringNormalizer of a graph a locale that is at hand. The tokenizing pipelines of scikit-learn
 * (CountVectorizer, TfidfVectorizer) begin with one. All other bytes of the file stay as they are.
 *
 * Source: StringNormalizer in the ONNX operator list (`locale` depends on the host).
 */
export function renameLocales(model: Uint8Array): Uint8Array {
  return mapFields(model, undefined, (field) =>
    field.number === MODEL.graph ? encodeField(MODEL.graph, renameInGraph(model, field)) : undefined,
  );
}

function renameInGraph(model: Uint8Array, graph: Field): Uint8Array {
  return mapFields(model, graph, (part) =>
    part.number === GRAPH.node && textOf(model, part, NODE.opType) === 'StringNormalizer'
      ? encodeField(GRAPH.node, renameInNode(model, part))
      : undefined,
  );
}

function renameInNode(model: Uint8Array, node: Field): Uint8Array {
  const others = mapFields(model, node, (member) =>
    member.number === NODE.attribute && textOf(model, member, ATTRIBUTE.name) === 'locale'
      ? new Uint8Array(0)
      : undefined,
  );
  const locale = Buffer.concat([
    encodeField(ATTRIBUTE.name, Buffer.from('locale')),
    encodeField(ATTRIBUTE.string, Buffer.from(LOCALE)),
    encodeVarintField(ATTRIBUTE.type, ATTRIBUTE_TYPES.string),
  ]);
  return Buffer.concat([others, encodeField(NODE.attribute, locale)]);
}

/** A message with some of its fields written anew; undefined leaves a field as it is. */
function mapFields(
  model: Uint8Array,
  message: Field | undefined,
  rewrite: (field: Field) => Uint8Array | undefined,
): Uint8Array {
  const fields = readFields(bytesSource(model), message?.start, message?.end);
  return Buffer.concat(Array.from(fields, (field) => rewrite(field) ?? whole(model, field)));
}

function textOf(model: Uint8Array, message: Field, number: number): string {
  const source = bytesSource(model);
  for (const member of readFields(source, message.start, message.end)) {
    if (member.number === number) return readText(source, member);
  }
  return '';
}
