import { replaceMembers, textAttribute } from './encode-node.ts';
import { ATTRIBUTE, NODE } from './fields.ts';
import { readName } from './nodes.ts';
import { type ByteSource, encodeField } from './protobuf.ts';
import { editNodes, type Rewriting } from './rewrite-model.ts';

/**
 * A locale that knows how to lower all of Unicode and that function images have; they lack the runtime's default,
 * en_US.UTF-8. Letters have the same lower and upper case in both.
 */
const LOCALE = 'C.UTF-8';

/**
 * Gives each StringNormalizer of a model a locale that is at hand. The tokenizing pipelines of scikit-learn
 * (CountVectorizer, TfidfVectorizer) begin with one.
 *
 * Source: StringNormalizer in the ONNX operator list (`locale` depends on the host).
 */
export const renameLocales: Rewriting = (source: ByteSource) =>
  editNodes(
    source,
    new Map([
      [
        'StringNormalizer',
        ({ message }) => [
          replaceMembers(
            source,
            message.field,
            (member) =>
              member.number === NODE.attribute && readName(source, member, ATTRIBUTE.name) === 'locale',
            [encodeField(NODE.attribute, textAttribute('locale', LOCALE))],
          ),
        ],
      ],
    ]),
  );
