import * as z from 'zod/mini';
import { addedTokenSchema, createAddedSplitter } from './added-tokens.ts';
import { createBpe } from './bpe.ts';
import { roomFor } from './growth.ts';
import { createNormalizer } from './normalizers.ts';
import { makePart, type PartMaker, partSchema, TokenizerError } from './parts.ts';
import { createPreTokenizer } from './pre-tokenizers.ts';
import { createFrames, type Frames } from './special-tokens.ts';
import { createUnigram } from './unigram.ts';
import type { TokenIds, TokenModel } from './vocabulary.ts';
import { createWordLevel, createWordPiece } from './word-models.ts';

/** Turns one text into the ids of its tokens. */
export interface TextEncoder {
  /** The ids one by one, without special tokens around them; undefined if the work can pause. */
  encode(text: string): TokenIds;
  readonly frames: Frames;
  /** The id of a token, by its name. */
  idOf(token: string): number | undefined;
  /** The padding of the file itself. */
  readonly padToken: string | undefined;
}

/** The parts of `tokenizer.json` that are used. The decoder is not needed. */
const tokenizerSchema = z.object({
  added_tokens: z._default(z.array(addedTokenSchema), []),
  normalizer: partSchema,
  pre_tokenizer: partSchema,
  model: z.looseObject({ type: z.optional(z.string()) }),
  post_processor: partSchema,
  padding: z.nullish(z.object({ pad_token: z.string() })),
});

const MODELS: Readonly<Record<string, PartMaker<TokenModel>>> = {
  BPE: createBpe,
  Unigram: createUnigram,
  WordLevel: createWordLevel,
  WordPiece: createWordPiece,
};

/**
 * Makes an encoder from the content of `tokenizer.json`, with the same ids as Hugging Face's tokenizers. It throws a
 * GrowthError for a text that the tokenizer makes too long.
 *
 * @throws TokenizerError
 */
export function createTextEncoder(tokenizerJson: unknown): TextEncoder {
  const parsed = tokenizerSchema.safeParse(tokenizerJson);
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.slice(0, 3).join('.');
    throw new TokenizerError(
      `its tokenizer.json does not describe a tokenizer${where ? ` ("${where}")` : ''}`,
    );
  }
  const { data } = parsed;
  const normalize = createNormalizer(data.normalizer);
  const preTokenize = createPreTokenizer(data.pre_tokenizer);
  const model = { ...data.model, type: data.model.type ?? modelTypeOf(data.model) };
  const toIds = makePart('model', MODELS, model);
  const splitOff = createAddedSplitter(data.added_tokens, normalize);
  const added = new Map(data.added_tokens.map(({ content, id }) => [content, id]));
  return {
    encode: function* (text) {
      let room = roomFor(0);
      for (const piece of splitOff(text)) {
        if (piece === undefined) {
          yield;
          continue;
        }
        if (piece.id !== undefined) {
          yield piece.id;
          continue;
        }
        room += roomFor(piece.text.length) - roomFor(0);
        for (const part of preTokenize(piece, room)) {
          room -= part.text.length;
          yield* toIds(part.text);
        }
      }
    },
    frames: createFrames(data.post_processor),
    idOf: (token) => added.get(token) ?? idIn(data.model.vocab, token),
    padToken: data.padding?.pad_token,
  };
}

/** Older files do not say which kind of model they have. */
function modelTypeOf(model: Readonly<Record<string, unknown>>): string {
  if (Array.isArray(model.vocab)) return 'Unigram';
  if ('merges' in model) return 'BPE';
  return 'continuing_subword_prefix' in model ? 'WordPiece' : 'WordLevel';
}

function idIn(vocab: unknown, token: string): number | undefined {
  if (Array.isArray(vocab)) {
    const index = vocab.findIndex((entry: unknown) => Array.isArray(entry) && entry[0] === token);
    return index === -1 ? undefined : index;
  }
  if (typeof vocab !== 'object' || vocab === null || !Object.hasOwn(vocab, token)) return undefined;
  const id: unknown = Reflect.get(vocab, token);
  return typeof id === 'number' ? id : undefined;
}
