import * as z from 'zod/mini';
import { TokenizerError } from './parts.ts';
import type { Frame } from './special-tokens.ts';
import type { TextEncoder } from './text-encoder.ts';
import { finishSteps, type Steps, type TokenIds } from './vocabulary.ts';

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
type TextTokens = readonly number[];

/** The tokens of two texts that stand in one row. */
interface PairTokens {
  readonly first: TextTokens;
  readonly second: TextTokens;
}

/** The content of a row without its special tokens. */
export type TokenRow = TextTokens | PairTokens;

/** Turns texts into tokens as the tokenizers of Hugging Face's transformers do. */
export interface TextTokenizer {
  /** Longest row the model was made for, as its config says. */
  readonly maxTokens: number | undefined;
  /** How many special tokens stand around every text. */
  readonly specialTokens: number;
  /** How many stand around and between two texts in one row; undefined if the tokenizer makes no such row. */
  readonly pairSpecialTokens: number | undefined;
  readonly canPad: boolean;
  /**
   * @param maxTokens longest row, including special tokens; longer rows are cut
   * @param cutSide where it is cut; as the config says by default
   * @throws GrowthError for a text that the tokenizer makes too long
   */
  tokenize(text: string, maxTokens: number, cutSide?: Side): TextTokens;
  /** The same, a few hundred tokens at a time: in between the work can pause. */
  tokenizeInSteps(text: string, maxTokens: number, cutSide?: Side): Steps<TextTokens>;
  /**
   * The tokens of two texts for one row. If they are too long together, the longer one is cut until both are equally
   * long (`longest_first` of transformers).
   *
   * @throws GrowthError
   */
  tokenizePairInSteps(first: string, second: string, maxTokens: number): Steps<PairTokens>;
  /** How many tokens a row has, special ones included. */
  lengthOf(row: TokenRow): number;
  /**
   * How many of the first tokens of a row stand for the beginning of its text, including the special tokens before it.
   * It is the length of a row of the beginning alone, minus one special token at its end, as sentence-transformers
   * counts a prompt.
   *
   * @throws GrowthError
   */
  countPrompt(prompt: string, maxTokens: number): number;
  /**
   * Puts the special tokens around the rows and pads them.
   *
   * @param length of every row with its special tokens; no row is longer
   */
  frame(rows: readonly TokenRow[], length: number): TokenBatch;
}

const specialToken = z.union([z.string(), z.object({ content: z.string() })]);
const side = z.enum(['left', 'right']);
type Side = z.infer<typeof side>;

/** The parts of `tokenizer_config.json` that are used. */
const configSchema = z.object({
  model_max_length: z.optional(z.number()),
  pad_token: z.nullish(specialToken),
  pad_token_type_id: z.optional(z.int()),
  padding_side: z.optional(side),
  truncation_side: z._default(side, 'right'),
  tokenizer_class: z.nullish(z.string()),
});

/** transformers writes 1e30 if there is no limit. */
const NO_LIMIT = 1e9;

/** How rows that are too long or too short are changed. */
interface Settings {
  readonly maxTokens: number | undefined;
  readonly padId: number | undefined;
  readonly padTypeId: number;
  readonly padsLeft: boolean;
  readonly cutSide: Side;
}

/**
 * Creates a tokenizer from the content of `tokenizer.json` and of `tokenizer_config.json`.
 *
 * @throws TokenizerError
 */
export async function createTokenizer(tokenizerJson: unknown, configJson: unknown): Promise<TextTokenizer> {
  const config = configSchema.safeParse(configJson ?? {});
  if (!config.success) throw new TokenizerError('its tokenizer_config.json is not valid');
  // Loaded here, so that models without texts do not load it.
  const { createTextEncoder } = await import('./text-encoder.ts');
  let encoder: TextEncoder;
  try {
    encoder = createTextEncoder(tokenizerJson);
  } catch (error) {
    if (error instanceof TokenizerError) throw error;
    throw new TokenizerError('its tokenizer.json cannot be used', { cause: error });
  }
  return wrap(encoder, readSettings(config.data, encoder));
}

function readSettings(config: z.infer<typeof configSchema>, encoder: TextEncoder): Settings {
  const padName = typeof config.pad_token === 'object' ? config.pad_token?.content : config.pad_token;
  const limit = config.model_max_length;
  // The class for XLNet in transformers does this although the file does not say it.
  const isXlnet = /^XLNetTokenizer/.test(config.tokenizer_class ?? '');
  return {
    maxTokens: limit !== undefined && limit >= 1 && limit < NO_LIMIT ? Math.trunc(limit) : undefined,
    padId: encoder.idOf(padName ?? encoder.padToken ?? ''),
    padTypeId: config.pad_token_type_id ?? (isXlnet ? 3 : 0),
    padsLeft: (config.padding_side ?? (isXlnet ? 'left' : 'right')) === 'left',
    cutSide: config.truncation_side,
  };
}

function wrap({ encode, frames }: TextEncoder, settings: Settings): TextTokenizer {
  const { single, pair } = frames;
  const { specialTokens } = single;
  const tokenizeInSteps = (
    text: string,
    maxTokens: number,
    cutSide = settings.cutSide,
  ): Steps<TextTokens> => {
    const room = Math.max(0, maxTokens - specialTokens);
    return cutSide === 'left' ? takeLast(encode(text), room) : take(encode(text), room);
  };
  const tokenize = (text: string, maxTokens: number, cutSide?: Side) =>
    finishSteps(tokenizeInSteps(text, maxTokens, cutSide));
  const frameOf = (row: TokenRow): Frame => {
    if (!isPair(row)) return single;
    if (pair) return pair;
    throw new Error('the tokenizer cannot put two texts into one row');
  };
  const lengthOf = (row: TokenRow) =>
    frameOf(row).specialTokens + (isPair(row) ? row.first.length + row.second.length : row.length);
  return {
    maxTokens: settings.maxTokens,
    specialTokens,
    pairSpecialTokens: pair?.specialTokens,
    canPad: settings.padId !== undefined,
    tokenize,
    tokenizeInSteps,
    tokenizePairInSteps: (first, second, maxTokens) =>
      cutPair(encode, first, second, Math.max(0, maxTokens - (pair?.specialTokens ?? 0)), settings.cutSide),
    lengthOf,
    countPrompt: (prompt, maxTokens) => {
      const endsSpecial = 'id' in (single.places.at(-1) ?? {});
      return tokenize(prompt, maxTokens).length + specialTokens - (endsSpecial ? 1 : 0);
    },
    frame: (rows, length) => {
      const batch = createBatch(rows.length, length, settings);
      for (const [index, row] of rows.entries()) {
        const used = lengthOf(row);
        let at = index * length + (settings.padsLeft ? length - used : 0);
        batch.mask.fill(1, at, at + used);
        for (const place of frameOf(row).places) {
          const ids = 'id' in place ? [place.id] : tokensOf(row, place.text);
          batch.ids.set(ids, at);
          batch.typeIds.fill(place.type, at, at + ids.length);
          at += ids.length;
        }
      }
      return batch;
    },
  };
}

function isPair(row: TokenRow): row is PairTokens {
  return 'second' in row;
}

function tokensOf(row: TokenRow, text: 0 | 1): TextTokens {
  if (!isPair(row)) return row;
  return text === 0 ? row.first : row.second;
}

/** The tokens of two texts that there is room for. */
function* cutPair(
  encode: TextEncoder['encode'],
  first: string,
  second: string,
  room: number,
  cutSide: Side,
): Steps<PairTokens> {
  const all = Number.POSITIVE_INFINITY;
  // One more token than there is room for shows that a text is too long.
  const most = cutSide === 'left' ? all : room + 1;
  const one = yield* take(encode(first), most);
  const other = yield* take(encode(second), most);
  const counts = [one.length, other.length] as const;
  // If the room is odd and both texts are too long, the longer one gets one token more.
  const areCompared = room % 2 === 0 || Math.min(...counts) <= room || cutSide === 'left';
  const [ofFirst, ofSecond] = sharePair(
    areCompared
      ? counts
      : [(yield* take(encode(first), all)).length, (yield* take(encode(second), all)).length],
    room,
  );
  return { first: cut(one, ofFirst, cutSide), second: cut(other, ofSecond, cutSide) };
}

function cut(tokens: TextTokens, count: number, cutSide: Side): TextTokens {
  return cutSide === 'left' ? tokens.slice(Math.max(0, tokens.length - count)) : tokens.slice(0, count);
}

/**
 * How many tokens of two texts there is room for: the longer one is cut first; if both are too long, the longer one
 * gets the odd token. Source: truncate_encodings of Hugging Face's tokenizers, strategy LongestFirst.
 */
function sharePair([one, other]: readonly [number, number], room: number): readonly [number, number] {
  if (one + other <= room) return [one, other];
  const half = Math.floor(room / 2);
  const shorter = Math.min(one, other) <= half ? Math.min(one, other) : half;
  return one > other ? [room - shorter, shorter] : [shorter, room - shorter];
}

/** How many tokens are one step of the work. */
const STEP = 256;

/** The first ids; the rest of a long text is not read. */
function* take(ids: TokenIds, count: number): Steps<number[]> {
  const taken: number[] = [];
  if (count === 0) return taken;
  for (const id of ids) {
    if (id === undefined) {
      yield;
      continue;
    }
    taken.push(id);
    if (taken.length === count) break;
    if (taken.length % STEP === 0) yield;
  }
  return taken;
}

function* takeLast(ids: TokenIds, count: number): Steps<TextTokens> {
  return cut(yield* take(ids, Number.POSITIVE_INFINITY), count, 'left');
}

function createBatch(rows: number, length: number, { padId, padTypeId }: Settings): TokenBatch {
  const size = rows * length;
  return {
    rows,
    length,
    ids: new Int32Array(size).fill(padId ?? 0),
    mask: new Int32Array(size),
    typeIds: new Int32Array(size).fill(padTypeId),
  };
}
