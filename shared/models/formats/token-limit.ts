import * as z from 'zod';
import { type FormatFolder, readJsonFile } from './format-folder.ts';

const SENTENCE_FILE = 'sentence_bert_config.json';
const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';

const sentenceSchema = z.object({
  max_seq_length: z.number().int().positive().nullish(),
  do_lower_case: z.literal(false, 'is up to the tokenizer here').optional(),
});
const tokenizerSchema = z.object({ model_max_length: z.number().nullish() });

/** transformers writes 1e30 where the tokenizer has no limit. */
const NO_LIMIT = 1e9;
/** Model types whose first positions stand for padding. */
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
 * The most tokens a text model takes: what sentence-transformers says, or else the tokenizer, or else as many as the
 * model has positions for.
 *
 * @returns undefined when the tokenizer says it itself, or nothing does
 */
export async function readTokenLimit(folder: FormatFolder, config: Positions): Promise<number | undefined> {
  const sentence = await readJsonFile(folder, SENTENCE_FILE, sentenceSchema);
  if (sentence?.max_seq_length) return sentence.max_seq_length;
  const tokenizer = await readJsonFile(folder, TOKENIZER_CONFIG_FILE, tokenizerSchema);
  if ((tokenizer?.model_max_length ?? NO_LIMIT) < NO_LIMIT) return undefined;
  const positions = config.max_position_embeddings;
  if (positions === undefined) return undefined;
  return SHIFTED.includes(config.model_type) ? positions - (config.pad_token_id ?? 1) - 1 : positions;
}
