import * as z from 'zod';
import { maskNewer } from './characters.ts';
import { TokenizerError } from './parts.ts';

/** What a part looks for: a text as it is, or a regular expression of Oniguruma. */
export const patternSchema = z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]);

/** What is used of the package's tokenizer; the types it comes with do not resolve. */
interface PackageTokenizer {
  readonly pre_tokenizer: { readonly pattern: RegExp | null };
}

/** The least the package makes a tokenizer of. */
const EMPTY = {
  model: { type: 'WordPiece', vocab: {}, unk_token: '' },
  added_tokens: [],
  normalizer: null,
  post_processor: null,
  decoder: null,
};

/** Where a text has what is looked for. */
export type Pattern = (text: string) => Iterable<RegExpExecArray>;

/** Turns what a part looks for into a pattern. */
export type PatternReader = (pattern: z.infer<typeof patternSchema>) => Pattern;

/**
 * Loads the package for tokenizers, which turns the regular expressions of Oniguruma into those of JavaScript. It is loaded
 * here, so that models without texts do not pay for it.
 */
export async function loadPatternReader(): Promise<PatternReader> {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  return (pattern) => {
    if ('String' in pattern) return literal(pattern.String);
    try {
      const splitter = { type: 'Split', pattern, behavior: 'Isolated', invert: false };
      const tokenizer: PackageTokenizer = new Tokenizer({ ...EMPTY, pre_tokenizer: splitter }, {});
      if (tokenizer.pre_tokenizer.pattern) return ofOlderUnicode(tokenizer.pre_tokenizer.pattern);
    } catch (error) {
      const message = `its tokenizer.json has the pattern ${JSON.stringify(pattern.Regex.slice(0, 80))}, which cannot be used here`;
      throw new TokenizerError(message, { cause: error });
    }
    throw new TokenizerError('its tokenizer.json has a pattern that cannot be used here');
  };
}

/** A pattern for a text as it is. */
export function literal(text: string): Pattern {
  return toPattern(new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'gu'));
}

/** A pattern of JavaScript with the flag `g`. */
export function toPattern(pattern: RegExp): Pattern {
  return (text) => text.matchAll(pattern);
}

/** A pattern whose classes of characters are those of the patterns of Hugging Face's tokenizers. */
export function ofOlderUnicode(pattern: RegExp): Pattern {
  return (text) => maskNewer(text).matchAll(pattern);
}
