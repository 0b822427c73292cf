import * as z from 'zod';
import { flattenParts, makePart, type Part, type PartMaker, readOptions, TokenizerError } from './parts.ts';

/** The special tokens around every text, which stay when the text itself is cut. */
export interface SpecialTokens {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly beforeTypes: readonly number[];
  readonly afterTypes: readonly number[];
  readonly textType: number;
}

const BARE: SpecialTokens = { before: [], after: [], beforeTypes: [], afterTypes: [], textType: 0 };

/**
 * Reads what a post-processor of `tokenizer.json` puts around one text.
 *
 * @throws TokenizerError
 */
export function createSpecialTokens(part: Part | null | undefined): SpecialTokens {
  const steps = flattenParts('post-processor', part, 'processors');
  return steps.reduce((frame, step) => {
    const wrapped = makePart('post-processor', MAKERS, step)(frame);
    if (wrapped.before.length + wrapped.after.length > MOST_AROUND) throw tooMany();
    return wrapped;
  }, BARE);
}

/** No text has room for more. */
const MOST_AROUND = 10_000;

function tooMany(): TokenizerError {
  return new TokenizerError(`its tokenizer.json puts more than ${MOST_AROUND} tokens around a text`);
}

/** Puts more around what is there. */
type Wrapper = (inner: SpecialTokens) => SpecialTokens;

const id = z.number().int().min(0);
const namedToken = z.tuple([z.string(), id]);
const pairSchema = z.looseObject({ sep: namedToken, cls: namedToken });
const templateSchema = z.looseObject({
  single: z.array(
    z.union([
      z.object({ SpecialToken: z.object({ id: z.string(), type_id: id }) }),
      z.object({ Sequence: z.object({ id: z.literal('A'), type_id: id }) }),
    ]),
  ),
  special_tokens: z.record(z.string(), z.object({ ids: z.array(id) })),
});

const MAKERS: Readonly<Record<string, PartMaker<Wrapper>>> = {
  BertProcessing: createPair,
  ByteLevel: () => (inner) => inner,
  RobertaProcessing: createPair,
  TemplateProcessing: createTemplate,
};

function createPair(part: Part): Wrapper {
  const { sep, cls } = readOptions(part, pairSchema);
  return (inner) => ({
    before: [cls[1], ...inner.before],
    after: [...inner.after, sep[1]],
    beforeTypes: [0, ...inner.beforeTypes.map(() => 0)],
    afterTypes: [...inner.afterTypes.map(() => 0), 0],
    textType: 0,
  });
}

function createTemplate(part: Part): Wrapper {
  const { single, special_tokens } = readOptions(part, templateSchema);
  const places = single.flatMap((item, index) =>
    'Sequence' in item ? [{ item: item.Sequence, index }] : [],
  );
  const [text, ...others] = places;
  if (!text || others.length > 0) {
    throw new TokenizerError('its tokenizer.json has a template that does not have the text once');
  }
  const tokensOf = (items: typeof single) => {
    const tokens: { readonly id: number; readonly type: number }[] = [];
    for (const item of items) {
      if (!('SpecialToken' in item)) continue;
      const name = item.SpecialToken.id;
      const token = Object.hasOwn(special_tokens, name) ? special_tokens[name] : undefined;
      if (!token) throw new TokenizerError('its tokenizer.json has a template whose tokens have no ids');
      if (tokens.length + token.ids.length > MOST_AROUND) throw tooMany();
      for (const tokenId of token.ids) tokens.push({ id: tokenId, type: item.SpecialToken.type_id });
    }
    return tokens;
  };
  const before = tokensOf(single.slice(0, text.index));
  const after = tokensOf(single.slice(text.index + 1));
  const type = text.item.type_id;
  return (inner) => ({
    before: [...before.map((token) => token.id), ...inner.before],
    after: [...inner.after, ...after.map((token) => token.id)],
    beforeTypes: [...before.map((token) => token.type), ...inner.beforeTypes.map(() => type)],
    afterTypes: [...inner.afterTypes.map(() => type), ...after.map((token) => token.type)],
    textType: type,
  });
}
