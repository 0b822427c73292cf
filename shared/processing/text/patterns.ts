import { SplitPreTokenizer } from '@huggingface/tokenizers';
import * as z from 'zod';
import { maskNewer } from './characters.ts';
import { TokenizerError } from './parts.ts';

declare module '@huggingface/tokenizers' {
  /** The package has it; of the types it comes with some do not resolve. */
  export const SplitPreTokenizer: new (config: object) => { readonly pattern: RegExp | null };
}

/** What a part looks for: a text as it is, or a regular expression of Oniguruma. */
export const patternSchema = z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]);

/** Where a text has what is looked for. */
export type Pattern = (text: string) => Iterable<RegExpExecArray>;

/**
 * Turns what a part looks for into a pattern; the package for tokenizers translates the regular expressions of Oniguruma
 * into those of JavaScript.
 *
 * @throws TokenizerError when it cannot
 */
export function readPattern(pattern: z.infer<typeof patternSchema>): Pattern {
  if ('String' in pattern) return literal(pattern.String);
  try {
    const splitter = new SplitPreTokenizer({ pattern, behavior: 'Isolated', invert: false });
    if (splitter.pattern) return ofOlderUnicode(splitter.pattern);
  } catch (error) {
    const message = `its tokenizer.json has the pattern ${JSON.stringify(pattern.Regex.slice(0, 80))}, which cannot be used here`;
    throw new TokenizerError(message, { cause: error });
  }
  throw new TokenizerError('its tokenizer.json has a pattern that cannot be used here');
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
