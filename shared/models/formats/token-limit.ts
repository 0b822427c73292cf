import * as z from 'zod/mini';
import { type FormatFolder, readJsonFile } from './format-folder.ts';

/** The files that sentence-transformers looks for, in its order; all except the first come from older releases. */
const SENTENCE_FILES = [
  'sentence_bert_config.json',
  'sentence_roberta_config.json',
  'sentence_distilbert_config.json',
  'sentence_camembert_config.json',
  'sentence_albert_config.json',
  'sentence_xlm-roberta_config.json',
  'sentence_xlnet_config.json',
];
const MODULES_FILE = 'modules.json';
const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';

/** The arguments for the tokenizer. Others could change the tokens, so they are refused. */
const callSchema = z.strictObject({
  max_length: z.nullish(z.int().check(z.positive())),
  padding: z.optional(z.literal([true, 'longest'], 'must be true')),
  truncation: z.optional(z.literal([true, 'longest_first', 'only_first'], 'must be true')),
  return_tensors: z.optional(z.string()),
});

const sentenceSchema = z.object({
  processing_kwargs: z.nullish(z.object({ text: z.nullish(callSchema), common: z.nullish(callSchema) })),
  max_seq_length: z.nullish(z.int().check(z.positive())),
  do_lower_case: z.optional(z.literal(false, 'is not supported: the tokenizer decides it')),
});
const tokenizerSchema = z.object({ model_max_length: z.nullish(z.number()) });

/** transformers writes 1e30 if the tokenizer has no limit. */
const NO_LIMIT = 1e9;
/** Model types whose first positions are reserved for padding. */
export const SHIFTED: readonly string[] = [
  'roberta',
  'xlm-roberta',
  'xlm-roberta-xl',
  'camembert',
  'longformer',
  'mpnet',
  'data2vec-text',
];

interface Positions {
  readonly model_type: string;
  readonly max_position_embeddings?: number | undefined;
  readonly pad_token_id?: number | null | undefined;
}

/**
 * The most tokens that a text model takes: the limit of sentence-transformers (the arguments of its tokenizer first),
 * or else of the tokenizer, or else the number of the model's positions. A sentence-transformers folder without a limit
 * takes the lesser of the latter two.
 * Source: sentence-transformers 5.2, models/Transformer.py; it does not subtract the positions of padding, so there a
 * text of full length fails.
 *
 * @returns undefined when the tokenizer file itself has the limit, or nothing limits it
 */
export async function readTokenLimit(folder: FormatFolder, config: Positions): Promise<number | undefined> {
  const sentence = await readSentence(folder);
  const { text, common } = sentence?.processing_kwargs ?? {};
  const said = text?.max_length ?? common?.max_length ?? sentence?.max_seq_length;
  if (said) return said;
  const tokenizer = await readJsonFile(folder, TOKENIZER_CONFIG_FILE, tokenizerSchema);
  const limit = tokenizer?.model_max_length ?? NO_LIMIT;
  const positions = countPositions(config);
  if (limit >= NO_LIMIT) return positions;
  const isSentence = sentence !== undefined || folder.files.includes(MODULES_FILE);
  return isSentence && positions !== undefined && positions < limit ? positions : undefined;
}

/** The first of these files that is not empty. */
async function readSentence(folder: FormatFolder) {
  for (const file of SENTENCE_FILES) {
    const found = await readJsonFile(folder, file, sentenceSchema);
    if (found && Object.keys(found).length > 0) return found;
  }
  return undefined;
}

function countPositions({ model_type, max_position_embeddings, pad_token_id }: Positions) {
  if (max_position_embeddings === undefined || !SHIFTED.includes(model_type)) return max_position_embeddings;
  return max_position_embeddings - (pad_token_id ?? 1) - 1;
}
