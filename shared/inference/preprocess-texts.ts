import type { Limits } from '../config.ts';
import { InferenceError, invalid, overLimit } from '../errors.ts';
import { ModelError } from '../models/model-config.ts';
import type { ModelFolder } from '../models/version-folder.ts';
import {
  DECODER_POSITIONS,
  type PositionScheme,
  positionsOf,
} from '../processing/text/embedding/positions.ts';
import { GrowthError, roomFor } from '../processing/text/tokenizer/growth.ts';
import type { TextTokenizer, TokenBatch, TokenRow } from '../processing/text/tokenizer/tokenizer.ts';
import type { Session, TensorSpec } from '../runtime/session.ts';
import { createTensor } from '../tensor/tensor.ts';
import { mapInTurns } from '../turns.ts';
import type { EmbeddingOptions, FieldValue, TextValue } from '../values/input.ts';
import { noPairs } from '../values/text-value.ts';
import { createStringPreprocessor, EXAMPLE_TEXT, readTexts } from './preprocess-strings.ts';
import { createPromptChooser, type PromptConfig } from './prompts.ts';
import { readPositions, readTokenizer } from './read-tokenizer.ts';
import { type Batch, fillBatch, type Preprocessor } from './task.ts';

interface TextConfig extends PromptConfig {
  readonly maxTokens?: number | undefined;
  /** Whether the task can use two texts in one row; no by default. */
  readonly takesPairs?: boolean;
}

/** How the texts of a model are described, as its graph only has inputs for tokens. */
const TEXT_INPUT = 'text';

/** Longest row of a model that does not set a limit. */
const USUAL_TOKENS = 512;
/** Longest row that a graph can require; all texts are padded to this number of tokens, which take memory. */
const LONGEST_ROW = 2 ** 20;

/** The values for the inputs of a graph, by transformers' names. */
const ROLES: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['input_ids', ({ ids }) => ids],
  ['attention_mask', ({ mask }) => mask],
  ['token_type_ids', ({ typeIds }) => typeIds],
  ['position_ids', positionsOf],
]);

/** Returns the elements of an input. */
type Role = (batch: TokenBatch, scheme: PositionScheme) => Int32Array;

/**
 * Prepares the inputs of a text model: tokens from the `tokenizer.json` next to the model, or the texts themselves for
 * a graph whose only input is strings.
 *
 * @throws ModelError when the graph takes no texts, the tokenizer is missing or broken, or the prompts do not fit
 */
export async function createTextPreprocessor(
  session: Session,
  folder: ModelFolder,
  config: TextConfig,
): Promise<Preprocessor> {
  const choosePrompt = createPromptChooser(config);
  const [first, ...others] = session.inputs;
  if (first?.datatype === 'BYTES' && others.length === 0) {
    if (config.includePrompt === false) {
      throw new ModelError('its graph takes texts, so a prompt cannot be excluded from the pooling');
    }
    return createStringPreprocessor(first, choosePrompt);
  }
  const inputs = session.inputs.map(bindInput);
  const ids = findIds(session.inputs);
  const tokenizer = await readTokenizer(folder);
  const format = chooseFormat(ids, tokenizer, config);
  const scheme = session.inputs.some(({ name }) => name === 'position_ids')
    ? await readPositions(folder)
    : DECODER_POSITIONS;
  const textInput = { name: TEXT_INPUT, isPrepared: true, takesPairs: format.takesPairs };
  const toBatch = (rows: readonly TokenRow[], length: number): Batch => {
    const batch = tokenizer.frame(rows, length);
    const shape = [batch.rows, length];
    const feeds = new Map(
      inputs.map(({ spec: { name, datatype }, role }) => [
        name,
        createTensor(datatype, shape, role(batch, scheme)),
      ]),
    );
    return { rows: batch.rows, feeds, mask: createTensor('INT32', shape, batch.mask) };
  };
  return {
    textInput,
    preprocess: async (given, budget) => {
      const { prompt, texts, options } = readTexts(given, budget, choosePrompt);
      const rows = await mapInTurns(
        texts,
        (text) => tokenizeText(text, tokenizer, format, options),
        () => budget.goOn(),
      );
      const promptTokens =
        config.includePrompt === false && prompt !== ''
          ? tokenizer.countPrompt(prompt, format.maxTokens)
          : undefined;
      checkNotEmpty(rows, texts, tokenizer, promptTokens);
      const lengths = rows.map((row) => tokenizer.lengthOf(row));
      const most = longest(lengths);
      const length = format.length ?? most;
      checkSize(rows.length * length, budget.limits);
      if (!tokenizer.canPad) checkEqual(lengths, most);
      const tokens = lengths.reduce((sum, each) => sum + each, 0);
      return { ...toBatch(rows, length), promptTokens, tokens, options };
    },
    example: () => {
      const rows = [tokenizeExample(tokenizer, format)];
      return toBatch(rows, format.length ?? longest(rows.map((row) => tokenizer.lengthOf(row))));
    },
    exampleRequest: fillBatch(ids, 'text', EXAMPLE_TEXT),
  };
}

function bindInput(spec: TensorSpec): { readonly spec: TensorSpec; readonly role: Role } {
  const { name, datatype, shape } = spec;
  const role = ROLES.get(name);
  if (!role) {
    const known = [...ROLES.keys()].join(', ');
    throw new ModelError(`its graph has the input "${name}"; the inputs of a text model are ${known}`);
  }
  if (shape.length !== 2 || datatype === 'BYTES') {
    throw new ModelError(`its input "${name}" is ${datatype} [${shape}]; tokens are a matrix of numbers`);
  }
  return { spec, role };
}

function findIds(specs: readonly TensorSpec[]): TensorSpec {
  const ids = specs.find(({ name }) => name === 'input_ids');
  if (ids) return ids;
  throw new ModelError('its graph has no input "input_ids"; a text model needs it for the tokens');
}

function tokenizeExample(tokenizer: TextTokenizer, { maxTokens }: TokenFormat): TokenRow {
  try {
    return tokenizer.tokenize(EXAMPLE_TEXT, maxTokens);
  } catch (error) {
    if (error instanceof GrowthError) throw new ModelError(error.message, { cause: error });
    throw error;
  }
}

interface TokenFormat {
  /** Longest row, special tokens included. */
  readonly maxTokens: number;
  /** Length of every row; undefined: the length of the longest row of the batch. */
  readonly length: number | undefined;
  /** Whether a row can hold two texts. */
  readonly takesPairs: boolean;
}

/** The config decides first, then the tokenizer, then the graph. A graph for rows of a fixed length always counts. */
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
      `it takes ${maxTokens} tokens, and ${tokenizer.specialTokens} of them are special: there is no room for a text`,
    );
  }
  if (length !== undefined && length > LONGEST_ROW) {
    throw new ModelError(`it takes rows of ${length} tokens; the limit is ${LONGEST_ROW}`);
  }
  if (length !== undefined && !tokenizer.canPad) {
    throw new ModelError(`it takes ${length} tokens, but its tokenizer has no token to pad with`);
  }
  const pairTokens = tokenizer.pairSpecialTokens;
  const takesPairs = config.takesPairs === true && pairTokens !== undefined && pairTokens < maxTokens;
  return { maxTokens, length, takesPairs };
}

/**
 * The tokens of one text, or of two in one row, a few at a time.
 *
 * @throws InferenceError when the tokenizer expands the text too much, or the text is too long and must not be
 * truncated
 */
function* tokenizeText(
  { value, field }: FieldValue<TextValue>,
  tokenizer: TextTokenizer,
  { maxTokens, takesPairs }: TokenFormat,
  { truncate, cutSide }: EmbeddingOptions = {},
): Generator<undefined, TokenRow> {
  if (typeof value !== 'string' && !takesPairs) throw noPairs(field);
  const isWhole = truncate?.value === false;
  const most = isWhole ? maxTokens + 1 : maxTokens;
  try {
    const row =
      typeof value === 'string'
        ? yield* tokenizer.tokenizeInSteps(value, most, cutSide?.value)
        : yield* tokenizer.tokenizePairInSteps(value.text, value.pair, most);
    if (!isWhole || tokenizer.lengthOf(row) <= maxTokens) return row;
    throw new InferenceError('PAYLOAD_TOO_LARGE', [
      `Field "${field}"`,
      `has more than ${maxTokens} tokens, the limit of this model, and "${truncate.field}" is false.`,
    ]);
  } catch (error) {
    if (!(error instanceof GrowthError)) throw error;
    const characters =
      typeof value === 'string' ? value.length : Math.max(value.text.length, value.pair.length);
    throw new InferenceError('PAYLOAD_TOO_LARGE', [
      `Field "${field}"`,
      `has ${characters} characters; the tokenizer of this model expands them to more than ${roomFor(characters)}, which is the limit.`,
    ]);
  }
}

/** For a row of only padding, a model returns something different in each batch, or nothing at all. */
function checkNotEmpty(
  rows: readonly TokenRow[],
  texts: readonly FieldValue<TextValue>[],
  { lengthOf }: TextTokenizer,
  promptTokens = 0,
): void {
  const empty = texts.find((_, index) => lengthOf(rows[index] ?? []) <= promptTokens);
  if (!empty) return;
  const beside = promptTokens > 0 ? ' besides its prompt' : '';
  throw invalid(`Field "${empty.field}"`, `has no tokens for this model${beside}; expected a text.`);
}

function longest(lengths: readonly number[]): number {
  return lengths.reduce((most, length) => Math.max(most, length), 0);
}

function checkSize(tokens: number, limits: Limits): void {
  if (tokens <= limits.tensorElements) return;
  throw overLimit(
    `The texts make more than ${limits.tensorElements} tokens, including padding, the limit (MAX_TENSOR_ELEMENTS).`,
  );
}

function checkEqual(lengths: readonly number[], most: number): void {
  if (lengths.every((length) => length === most)) return;
  throw invalid(
    'The texts have different lengths and the tokenizer of this model has no token to pad with: send one at a time.',
  );
}
