import * as z from 'zod/mini';
import { type Part, readOptions } from './parts.ts';
import { createTrie, longestMatch, NOWHERE, ROOT, walk } from './trie.ts';
import { readVocabulary, type TokenModel, unknownId } from './vocabulary.ts';

const wordPieceSchema = z.looseObject({
  unk_token: z._default(z.string(), '[UNK]'),
  continuing_subword_prefix: z._default(z.string(), '##'),
  max_input_chars_per_word: z._default(z.number(), 100),
});

/**
 * The model of BERT: the longest token that a word begins with, then the longest one that follows, and so on. If no
 * token fits the rest of a word, the whole word is unknown.
 *
 * @throws TokenizerError
 */
export function createWordPiece(part: Part): TokenModel {
  const options = readOptions(part, wordPieceSchema);
  const vocabulary = readVocabulary(part.vocab);
  const unknown = unknownId(vocabulary, options.unk_token);
  const trie = createTrie(vocabulary);
  const inside = walk(trie, ROOT, options.continuing_subword_prefix);
  const longest = options.max_input_chars_per_word;
  return (word) => {
    // A word has at least as many units as characters, and rarely more.
    if (word.length > longest && Array.from(word).length > longest) return [unknown];
    const ids: number[] = [];
    for (let at = 0; at < word.length; ) {
      const from = at === 0 ? ROOT : inside;
      const match = from === NOWHERE ? undefined : longestMatch(trie, word, at, from);
      if (!match) return [unknown];
      ids.push(match.id);
      at = match.end;
    }
    return ids;
  };
}

/**
 * The model that has a token for every word.
 *
 * @throws TokenizerError
 */
export function createWordLevel(part: Part): TokenModel {
  const vocabulary = readVocabulary(part.vocab);
  const unknown = unknownId(vocabulary, part.unk_token);
  return (word) => [vocabulary.get(word) ?? unknown];
}
