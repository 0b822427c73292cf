import { ATTRIBUTE, ATTRIBUTE_TYPES, GRAPH, MODEL, NODE } from './fields.ts';
import { mapFields, textOf } from './messages.ts';
import { encodeField, encodeVarintField, type Field } from './protobuf.ts';

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
