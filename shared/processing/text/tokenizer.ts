import * as z from 'zod';
import { loadTokenizer, type PackageTokenizer } from './load-tokenizer.ts';

/** Texts as a text model takes them: `rows` times `length` numbers each, row by row. */
export interface TokenBatch {
  readonly rows: number;
  readonly length: number;
  readonly ids: Int32Array;
  /** 1 for a token, 0 for padding. */
  readonly mask: Int32Array;
  readonly typeIds: Int32Array;
}

/** The tokens of one text without the special ones around it. */
export type TokenRow = readonly number[];

/** Turns texts into tokens as the tokenizers of Hugging Face's transformers do. */
export interface TextTokenizer {
  /** Longest row the model was made for, as its config says. */
  readonly maxTokens: number | undefined;
  /** How many special tokens stand around every text. */
  readonly specialTokens: number;
  readonly canPad: boolean;
  /**
   * @param maxTokens longest row, special tokens included; what is longer is cut
   * @throws TextTooLongError
   */
  tokenize(texts: readonly string[], maxTokens: number): TokenRow[];
  /**
   * Puts the special tokens around the rows and pads them.
   *
   * @param length of every row with its special tokens; no row is longer
   */
  frame(rows: readonly TokenRow[], length: number): TokenBatch;
}

/** The files are not those of a tokenizer this server knows. The message is fit for clients. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError';
}

/** A text is too long for the tokenizer's own memory. */
export class TextTooLongError extends Error {
  override readonly name = 'TextTooLongError';
  readonly index: number;

  constructor(index: number, cause: unknown) {
    super(`text ${index} is too long for the tokenizer`, { cause });
    this.index = index;
  }
}

const specialToken = z.union([z.string(), z.object({ content: z.string() })]);
const side = z.enum(['left', 'right']).default('right');

/** What matters of `tokenizer_config.json`. */
const configSchema = z.object({
  model_max_length: z.number().optional(),
  pad_token: specialToken.nullish(),
  padding_side: side,
  truncation_side: side,
});

/** What matters here of `tokenizer.json`; the tokenizer reads the rest itself. */
const tokenizerSchema = z.looseObject({
  model: z.looseObject({}),
  added_tokens: z.array(z.looseObject({ content: z.string(), id: z.number() })),
  padding: z.object({ pad_token: z.string() }).nullish(),
});

/** transformers writes 1e30 where there is no limit. */
const NO_LIMIT = 1e9;
/** Stands for the text when special tokens are looked for; no vocabulary has it. */
const PLACE = '\0text\0';

/**
 * Creates a tokenizer from the content of `tokenizer.json` and of `tokenizer_config.json`.
 *
 * @throws TokenizerError
 */
export async function createTokenizer(tokenizerJson: unknown, configJson: unknown): Promise<TextTokenizer> {
  const parsed = tokenizerSchema.safeParse(tokenizerJson);
  if (!parsed.success) throw new TokenizerError('its tokenizer.json is not that of a tokenizer');
  const config = configSchema.safeParse(configJson ?? {});
  if (!config.success) throw new TokenizerError('its tokenizer_config.json is not valid');
  const { padding, ...settings } = parsed.data;
  try {
    const options = typeof configJson === 'object' && configJson !== null ? configJson : {};
    const tokenizer = await loadTokenizer({ padding, ...settings }, options);
    return wrap(tokenizer, config.data, padding?.pad_token);
  } catch (error) {
    const what = error instanceof Error && /^Unknown [A-Za-z]+ type: \w+$/.test(error.message);
    const detail = what && error instanceof Error ? ` (${error.message})` : '';
    throw new TokenizerError(`its tokenizer.json cannot be used${detail}`, { cause: error });
  }
}

function wrap(
  tokenizer: PackageTokenizer,
  config: z.infer<typeof configSchema>,
  padding: string | undefined,
): TextTokenizer {
  const frame = findFrame(tokenizer);
  const padName = typeof config.pad_token === 'object' ? config.pad_token?.content : config.pad_token;
  const padId = tokenizer.token_to_id(padName ?? padding ?? '');
  const limit = config.model_max_length;
  const specialTokens = frame.before.length + frame.after.length;
  return {
    maxTokens: limit !== undefined && limit >= 1 && limit < NO_LIMIT ? Math.trunc(limit) : undefined,
    specialTokens,
    canPad: padId !== undefined,
    tokenize: (texts, maxTokens) =>
      texts.map((text, index) => {
        const ids = encodeText(tokenizer, text, index);
        const room = Math.max(0, maxTokens - specialTokens);
        if (ids.length <= room) return ids;
        return config.truncation_side === 'left' ? ids.slice(ids.length - room) : ids.slice(0, room);
      }),
    frame: (rows, length) => {
      const batch = createBatch(rows.length, length, padId ?? 0);
      for (const [index, row] of rows.entries()) {
        const used = row.length + specialTokens;
        const at = index * length + (config.padding_side === 'left' ? length - used : 0);
        const textAt = at + frame.before.length;
        batch.ids.set([...frame.before, ...row, ...frame.after], at);
        batch.mask.fill(1, at, at + used);
        batch.typeIds.set(frame.beforeTypes, at);
        batch.typeIds.fill(frame.textType, textAt, textAt + row.length);
        batch.typeIds.set(frame.afterTypes, textAt + row.length);
      }
      return batch;
    },
  };
}

function createBatch(rows: number, length: number, padId: number): TokenBatch {
  const size = rows * length;
  return {
    rows,
    length,
    ids: new Int32Array(size).fill(padId),
    mask: new Int32Array(size),
    typeIds: new Int32Array(size),
  };
}

/** The special tokens around every text, which stay when the text itself is cut. */
interface Frame {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly beforeTypes: readonly number[];
  readonly afterTypes: readonly number[];
  readonly textType: number;
}

function findFrame(tokenizer: PackageTokenizer): Frame {
  const framed = tokenizer.post_processor?.post_process([PLACE], null, true) ?? { tokens: [PLACE] };
  const { tokens } = framed;
  const types = framed.token_type_ids ?? tokens.map(() => 0);
  const place = tokens.indexOf(PLACE);
  const toIds = (names: readonly string[]) =>
    names.map((name) => {
      const id = tokenizer.token_to_id(name);
      if (id === undefined) throw new Error(`the special token ${name} is not in the vocabulary`);
      return id;
    });
  return {
    before: toIds(tokens.slice(0, place)),
    after: toIds(tokens.slice(place + 1)),
    beforeTypes: types.slice(0, place),
    afterTypes: types.slice(place + 1),
    textType: types[place] ?? 0,
  };
}

/** What a vocabulary without an unknown token does not know is left out, as transformers does. */
function encodeText(tokenizer: PackageTokenizer, text: string, index: number): number[] {
  try {
    const { ids } = tokenizer.encode(text, { add_special_tokens: false });
    return ids.filter((id) => id !== undefined);
  } catch (error) {
    // Its lists of tokens are handed on as arguments, of which there can be some hundred thousand.
    if (error instanceof RangeError) throw new TextTooLongError(index, error);
    throw error;
  }
}
