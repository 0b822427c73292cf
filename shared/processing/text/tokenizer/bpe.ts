import * as z from 'zod/mini';
import { type Merges, mergePairs, pairKey } from './merge-pairs.ts';
import { type Part, readOptions, TokenizerError } from './parts.ts';
import {
  byteIds,
  finishSteps,
  isEndOfStep,
  readVocabulary,
  type Steps,
  type TokenModel,
  toByteIds,
  type Vocabulary,
} from './vocabulary.ts';

/** Most words whose tokens are cached, and the longest of them. */
const REMEMBERED = 10_000;
const LONGEST_REMEMBERED = 256;

const schema = z.looseObject({
  dropout: z.nullish(z.number()),
  unk_token: z.nullish(z.string()),
  continuing_subword_prefix: z.nullish(z.string()),
  end_of_word_suffix: z.nullish(z.string()),
  fuse_unk: z.nullish(z.boolean()),
  byte_fallback: z.nullish(z.boolean()),
  ignore_merges: z.nullish(z.boolean()),
});

/**
 * Byte-pair encoding: of the pairs of neighbours in a word, the one that was merged first in training is merged, until
 * no such pair is left. Source: the model BPE of Hugging Face's tokenizers.
 *
 * @throws TokenizerError
 */
export function createBpe(part: Part): TokenModel {
  const options = readOptions(part, schema);
  if (options.dropout) {
    throw new TokenizerError('its tokenizer.json has a "dropout", which makes its tokens random');
  }
  const vocabulary = readVocabulary(part.vocab);
  const merges = readMerges(part.merges, vocabulary, options.continuing_subword_prefix ?? '');
  const toSymbols = createSymbols(vocabulary, options);
  const known = new Map<string, readonly number[]>();
  const merge = function* (word: string): Steps<readonly number[]> {
    return yield* mergePairs(yield* toSymbols(word), merges);
  };
  return (word) => {
    const whole = options.ignore_merges ? vocabulary.get(word) : undefined;
    if (whole !== undefined) return [whole];
    const before = known.get(word);
    if (before) return before;
    if (word.length > LONGEST_REMEMBERED) return inSteps(merge(word));
    const ids = finishSteps(merge(word));
    if (known.size >= REMEMBERED) known.clear();
    known.set(copyText(word), ids);
    return ids;
  };
}

/** The ids of a long word, after the whole word was read. */
function* inSteps(work: Steps<readonly number[]>): Generator<number | undefined> {
  yield* yield* work;
}

/** A slice of a text keeps the whole text in memory, because V8 does not copy it. */
function copyText(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

function readMerges(merges: unknown, vocabulary: Vocabulary, prefix: string): Merges {
  if (!Array.isArray(merges)) throw broken();
  const ranks = new Map<number, number>();
  const merged = merges.map((merge: unknown, rank) => {
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    const [left, right, ...more]: unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof left !== 'string' || typeof right !== 'string' || more.length > 0) throw broken();
    const ids = [left, right, left + right.slice(prefix.length)].map((token) => vocabulary.get(token));
    const [first, second, id] = ids;
    if (first === undefined || second === undefined || id === undefined) throw broken();
    ranks.set(pairKey(first, second), rank);
    return id;
  });
  return { ranks, ids: Int32Array.from(merged) };
}

function broken(): TokenizerError {
  return new TokenizerError('its tokenizer.json has "merges" that cannot be used');
}

/** The ids of a word's characters. */
function createSymbols(
  vocabulary: Vocabulary,
  options: z.infer<typeof schema>,
): (word: string) => Steps<readonly number[]> {
  const prefix = options.continuing_subword_prefix ?? '';
  const suffix = options.end_of_word_suffix ?? '';
  const bytes = options.byte_fallback ? byteIds(vocabulary) : undefined;
  const unknown = typeof options.unk_token === 'string' ? vocabulary.get(options.unk_token) : undefined;
  if (typeof options.unk_token === 'string' && unknown === undefined) {
    throw new TokenizerError('its tokenizer.json has a vocabulary without its token for unknown words');
  }
  return function* (word) {
    const ids: number[] = [];
    // An unknown character waits for the next known one, even where bytes come between them.
    let waiting = 0;
    let at = 0;
    let turn = 0;
    for (const character of word) {
      if (isEndOfStep(turn++)) yield;
      const isLast = at + character.length === word.length;
      const symbol = (at === 0 ? '' : prefix) + character + (isLast ? suffix : '');
      at += character.length;
      const id = vocabulary.get(symbol);
      const fallback = id === undefined && bytes ? toByteIds(symbol, bytes) : undefined;
      if (fallback) ids.push(...fallback);
      else if (id === undefined && unknown !== undefined) {
        if (waiting > 0 && !options.fuse_unk) ids.push(unknown);
        waiting = 1;
      } else if (id !== undefined) {
        if (waiting > 0 && unknown !== undefined) ids.push(unknown);
        waiting = 0;
        ids.push(id);
      }
    }
    if (waiting > 0 && unknown !== undefined) ids.push(unknown);
    return ids;
  };
}
