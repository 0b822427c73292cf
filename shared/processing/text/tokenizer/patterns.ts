import { SplitPreTokenizer } from '@huggingface/tokenizers';
import * as z from 'zod/mini';
import { maskNewer } from './characters.ts';
import { compilePattern } from './compile-pattern.ts';
import { TokenizerError } from './parts.ts';
import { type Match, runPattern } from './run-pattern.ts';

declare module '@huggingface/tokenizers' {
  /** The package has this function, but some of its types do not resolve. */
  export const SplitPreTokenizer: new (config: object) => { readonly pattern: RegExp | null };
}

/** The pattern of a part: a literal text, or a regular expression of Oniguruma. */
export const patternSchema = z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]);

/** Finds the matches in a text, from left to right. */
export type Pattern = (text: string) => Iterable<Match>;

/** The longest of a public model has 600 characters. */
const LONGEST_REGEX = 10_000;
/** It is compared with the text at each place, up to the first difference. */
const LONGEST_TEXT = 1000;

/**
 * The end of nearly all patterns of byte-level models: line ends, and white space except the last one before a word.
 */
const SPACES = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const CASES = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;

/**
 * The patterns of the most common models. V8 runs them ten times as fast as the code here, and in time proportional to
 * the text: if an alternative fails after a long run, the next one takes that run.
 */
const QUICK: ReadonlySet<string> = new Set([
  // GPT-2.
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  // GPT-4 and Llama 3, Qwen 2 and 3, MiniCPM 5.
  ...['{1,3}', '', '+'].map(
    (count) =>
      String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}${count}| ?[^\s\p{L}\p{N}]+[\r\n]*|${SPACES}`,
  ),
  // Qwen 3.5.
  String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${SPACES}`,
  // GPT-4o and gpt-oss; Mistral's Tekken.
  String.raw`${CASES}*${LOWER}+${CONTRACTIONS}?|${CASES}+${LOWER}*${CONTRACTIONS}?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${SPACES}`,
  String.raw`${CASES}*${LOWER}+|${CASES}+${LOWER}*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${SPACES}`,
]);

/**
 * Turns the pattern of a part into a finder; the package for tokenizers translates the regular expressions of Oniguruma
 * into those of JavaScript. Every pattern takes time proportional to the text, even `(a+)+b`.
 *
 * @throws TokenizerError when it cannot
 */
export function readPattern(pattern: z.infer<typeof patternSchema>): Pattern {
  if ('String' in pattern) return literal(pattern.String);
  const { Regex } = pattern;
  if (Regex.length > LONGEST_REGEX) throw unusable(Regex);
  try {
    const { pattern: translated } = new SplitPreTokenizer({ pattern, behavior: 'Isolated', invert: false });
    if (!translated) throw unusable(Regex);
    if (QUICK.has(Regex)) return ofOlderUnicode(translated);
    const program = compilePattern(translated.source);
    return (text) => runPattern(program, maskNewer(text));
  } catch (error) {
    throw unusable(Regex, error);
  }
}

function unusable(pattern: string, cause?: unknown): TokenizerError {
  const message = `its tokenizer.json has the pattern ${JSON.stringify(pattern.slice(0, 80))}, which cannot be used here`;
  return new TokenizerError(message, { cause });
}

/**
 * A pattern for a literal text.
 *
 * @throws TokenizerError when it is too long to be searched for in a long text
 */
export function literal(text: string): Pattern {
  if (text.length > LONGEST_TEXT) throw unusable(text);
  return toPattern(new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'gu'));
}

/** A pattern of JavaScript with the flag `g`. */
export function toPattern(pattern: RegExp): Pattern {
  return (text) => findAll(text, pattern);
}

/** A pattern whose classes of characters are those of the patterns of Hugging Face's tokenizers. */
export function ofOlderUnicode(pattern: RegExp): Pattern {
  return (text) => findAll(maskNewer(text), pattern);
}

function* findAll(text: string, pattern: RegExp): Generator<Match> {
  for (const { index, 0: match } of text.matchAll(pattern)) yield { start: index, end: index + match.length };
}
