import { replaceMembers, textAttribute } from './encode-node.ts';
import { ATTRIBUTE, NODE } from './fields.ts';
import { readName } from './nodes.ts';
import { type ByteSource, encodeField } from './protobuf.ts';
import { editNodes, type Rewriting } from './rewrite-model.ts';

/**
 * A locale that can lower-case all of Unicode and that the images of cloud functions have; they lack the runtime's
 * default, en_US.UTF-8. Lower and upper case are the same in both.
 */
const LOCALE = 'C.UTF-8';

/**
 * Sets the locale of each StringNormalizer of a model to one that exists on the host. The tokenizing pipelines of
 * scikit-learn (CountVectorizer, TfidfVectorizer) start with a StringNormalizer.
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
