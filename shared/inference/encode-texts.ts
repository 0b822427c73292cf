import type { Limits } from '../config.ts';
import { invalid } from '../errors.ts';
import { ModelError } from '../models/model-config.ts';
import type { ModelFolder } from '../models/model-repository.ts';
import { DECODER_POSITIONS, type PositionScheme, positionsOf } from '../processing/text/positions.ts';
import type { TextTokenizer, TokenBatch, TokenRow } from '../processing/text/tokenizer.ts';
import type { Session, TensorSpec } from '../runtime/session.ts';
import { createTensor } from '../tensor/tensor.ts';
import { createStringEncoder, EXAMPLE_TEXT, readTexts } from './encode-strings.ts';
import type { Located } from './input.ts';
import { readPositions, readTokenizer } from './read-tokenizer.ts';
import { mapInTurns } from './share-time.ts';
import { type BatchEncoder, type EncodedBatch, fillBatch } from './task.ts';

interface TextConfig {
  readonly maxTokens?: number | undefined;
}

/** Longest row of a model that says nothing of it. */
const USUAL_TOKENS = 512;

/** What goes into the inputs of a graph, by the names that transformers gives them. */
const ROLES: Readonly<Record<string, (batch: TokenBatch, scheme: PositionScheme) => Int32Array>> = {
  input_ids: ({ ids }) => ids,
  attention_mask: ({ mask }) => mask,
  token_type_ids: ({ typeIds }) => typeIds,
  position_ids: positionsOf,
};

/**
 * Prepares the inputs of a text model: tokens by `tokenizer.json` beside the model, or the texts themselves for a graph
 * whose only input is strings.
 *
 * @throws ModelError when the graph takes no texts, or the tokenizer is missing or broken
 */
export async function createTextEncoder(
  session: Session,
  folder: ModelFolder,
  config: TextConfig,
): Promise<BatchEncoder> {
  const [first, ...others] = session.inputs;
  if (first?.datatype === 'BYTES' && others.length === 0) return createStringEncoder(first);
  const ids = checkInputs(session.inputs);
  const tokenizer = await readTokenizer(folder);
  const format = chooseFormat(ids, tokenizer, config);
  const scheme = session.inputs.some(({ name }) => name === 'position_ids')
    ? await readPositions(folder)
    : DECODER_POSITIONS;
  const toBatch = (rows: readonly TokenRow[], length: number): EncodedBatch => {
    const batch = tokenizer.frame(rows, length);
    const shape = [batch.rows, length];
    const feeds = new Map(
      session.inputs.map(({ name, datatype }) => {
        const values = ROLES[name]?.(batch, scheme) ?? batch.ids;
        return [name, createTensor(datatype, shape, values)];
      }),
    );
    return { rows: batch.rows, feeds, mask: createTensor('INT32', shape, batch.mask) };
  };
  return {
    encode: async (given, limits) => {
      const texts = readTexts(given, limits);
      const rows = await mapInTurns(texts, ({ value }) => tokenizer.tokenize(value, format.maxTokens));
      checkNotEmpty(rows, texts, tokenizer);
      const length = format.length ?? longest(rows) + tokenizer.specialTokens;
      checkSize(rows, length, tokenizer, limits);
      return toBatch(rows, length);
    },
    example: () => {
      const rows = [tokenizer.tokenize(EXAMPLE_TEXT, format.maxTokens)];
      return toBatch(rows, format.length ?? longest(rows) + tokenizer.specialTokens);
    },
    exampleRequest: fillBatch(ids, 'text', EXAMPLE_TEXT),
  };
}

/** Gives the input for the tokens. */
function checkInputs(specs: readonly TensorSpec[]): TensorSpec {
  for (const { name, datatype, shape } of specs) {
    if (!Object.hasOwn(ROLES, name)) {
      const known = Object.keys(ROLES).join(', ');
      throw new ModelError(`its graph has the input "${name}"; the inputs of a text model are ${known}`);
    }
    if (shape.length !== 2 || datatype === 'BYTES') {
      throw new ModelError(`its input "${name}" is ${datatype} [${shape}]; tokens are a matrix of numbers`);
    }
  }
  const ids = specs.find(({ name }) => name === 'input_ids');
  if (ids) return ids;
  throw new ModelError('its graph has no input "input_ids", which a text model takes its tokens in');
}

interface TokenFormat {
  /** Longest row, special tokens included. */
  readonly maxTokens: number;
  /** Length of every row; undefined: as long as the longest of the batch. */
  readonly length: number | undefined;
}

/** The config is asked first, then the tokenizer, then the graph; a graph for rows of one length always counts. */
function chooseFormat(
  { shape: [, axis = -1] }: TensorSpec,
  tokenizer: TextTokenizer,
  config: TextConfig,
): TokenFormat {
  const length = axis === -1 ? undefined : axis;
  const wanted = config.maxTokens ?? tokenizer.maxTokens ?? length ?? USUAL_TOKENS;
  const maxTokens = Math.min(wanted, length ?? wanted);
  if (maxTokens <= tokenizer.specialTokens) {
    throw new ModelError(
      `it takes ${maxTokens} tokens, ${tokenizer.specialTokens} of which are special: no text fits in`,
    );
  }
  if (length !== undefined && !tokenizer.canPad) {
    throw new ModelError(`it takes ${length} tokens, but its tokenizer has no token to pad with`);
  }
  return { maxTokens, length };
}

/** Of padding alone a model makes something else in each batch, or nothing at all. */
function checkNotEmpty(
  rows: readonly TokenRow[],
  texts: readonly Located<string>[],
  { specialTokens }: TextTokenizer,
): void {
  const empty = specialTokens === 0 ? rows.findIndex((row) => row.length === 0) : -1;
  if (empty === -1) return;
  throw invalid(`Field "${texts[empty]?.field ?? 'text'}" has no tokens for this model; expected a text.`);
}

function longest(rows: readonly TokenRow[]): number {
  return rows.reduce((most, row) => Math.max(most, row.length), 0);
}

function checkSize(
  rows: readonly TokenRow[],
  length: number,
  tokenizer: TextTokenizer,
  limits: Limits,
): void {
  if (rows.length * length > limits.tensorElements) {
    throw invalid(
      `The texts make more than ${limits.tensorElements} tokens, padding included; that is the limit (MAX_TENSOR_ELEMENTS).`,
    );
  }
  if (tokenizer.canPad || rows.every((row) => row.length === longest(rows))) return;
  throw invalid(
    'The texts have different lengths and the tokenizer of this model has no token to pad with: send one at a time.',
  );
}
