import * as z from 'zod/mini';
import { type Part, readOptions, TokenizerError } from './parts.ts';
import { createTrie, NOWHERE, ROOT, step, type Trie } from './trie.ts';
import { byteIds, isEndOfStep, type Steps, type TokenModel, toByteIds } from './vocabulary.ts';

/** How much less likely an unknown character is than the least likely token. */
const UNKNOWN_PENALTY = 10;

const schema = z.looseObject({
  unk_id: z.int().check(z.minimum(0)),
  byte_fallback: z._default(z.boolean(), false),
});

/** The model from the file: the tokens by their first characters, and the likelihood of each. */
interface Model {
  readonly trie: Trie;
  /** Logarithms of probabilities. */
  readonly scores: Float64Array;
  readonly unknownId: number;
  readonly unknownScore: number;
}

/**
 * The model of SentencePiece that takes the most likely way through a text, by the sum of its tokens' scores.
 * Neighbouring unknown characters are one token. Source: `encode_optimized` of Hugging Face's tokenizers.
 *
 * @throws TokenizerError
 */
export function createUnigram(part: Part): TokenModel {
  const { unk_id, byte_fallback } = readOptions(part, schema);
  const tokens = readTokens(part.vocab);
  if (unk_id >= tokens.length) throw broken();
  const ids = new Map(tokens.map(([token], id) => [token, id]));
  const scores = Float64Array.from(tokens, ([, score]) => score);
  const model: Model = {
    trie: createTrie([...ids].filter(([token]) => token !== '')),
    scores,
    unknownId: unk_id,
    unknownScore: scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY) - UNKNOWN_PENALTY,
  };
  const bytes = byte_fallback ? byteIds(ids) : undefined;
  return function* (text) {
    for (const { start, end } of yield* bestWay(text, model)) {
      const piece = text.slice(start, end);
      const id = ids.get(piece);
      if (id !== undefined) yield id;
      else yield* (bytes && toByteIds(piece, bytes)) ?? [unk_id];
    }
  };
}

function readTokens(vocab: unknown): (readonly [string, number])[] {
  if (!Array.isArray(vocab)) throw broken();
  return vocab.map((entry: unknown) => {
    const [token, score]: unknown[] = Array.isArray(entry) ? entry : [];
    if (typeof token === 'string' && typeof score === 'number') return [token, score];
    throw broken();
  });
}

function broken(): TokenizerError {
  return new TokenizerError('its tokenizer.json has a vocabulary that cannot be used');
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function* bestWay(text: string, model: Model): Steps<Span[]> {
  const best = new Float64Array(text.length + 1);
  /** Where the last token of the best way to each place starts; -1 if no token ends there. */
  const starts = new Int32Array(text.length + 1).fill(-1);
  const lastIds = new Int32Array(text.length + 1);
  const reach = (start: number, end: number, id: number, score: number) => {
    const total = score + (best[start] ?? 0);
    if (starts[end] !== -1 && total <= (best[end] ?? 0)) return;
    best[end] = total;
    starts[end] = start;
    lastIds[end] = id;
  };
  for (let start = 0, turn = 0; start < text.length; turn++) {
    if (isEndOfStep(turn)) yield;
    const next = start + widthAt(text, start);
    let isKnown = false;
    let node = ROOT;
    for (let at = start; at < text.length; at++) {
      node = step(model.trie, node, text.charCodeAt(at));
      if (node === NOWHERE) break;
      const id = model.trie.ids[node] ?? -1;
      if (id === -1) continue;
      reach(start, at + 1, id, model.scores[id] ?? 0);
      if (at + 1 === next) isKnown = true;
    }
    if (!isKnown) reach(start, next, model.unknownId, model.unknownScore);
    start = next;
  }
  return yield* walkBack(starts, lastIds, model.unknownId);
}

function widthAt(text: string, place: number): number {
  return (text.codePointAt(place) ?? 0) > 0xffff ? 2 : 1;
}

/** The tokens of the best way, neighbours that are unknown as one. */
function* walkBack(starts: Int32Array, lastIds: Int32Array, unknown: number): Steps<Span[]> {
  const spans: Span[] = [];
  let end = starts.length - 1;
  while (end > 0) {
    let start = starts[end] ?? 0;
    if (lastIds[end] === unknown) while (start > 0 && lastIds[start] === unknown) start = starts[start] ?? 0;
    spans.push({ start, end });
    if (isEndOfStep(spans.length)) yield;
    end = start;
  }
  return spans.reverse();
}
