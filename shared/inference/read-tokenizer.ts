import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { systemCodeOf } from '../errors.ts';
import { SHIFTED } from '../models/formats/token-limit.ts';
import { ModelError } from '../models/model-config.ts';
import { TokenizerError } from '../processing/text/parts.ts';
import { DECODER_POSITIONS, type PositionScheme, shiftedPositions } from '../processing/text/positions.ts';
import { createTokenizer, type TextTokenizer } from '../processing/text/tokenizer.ts';

/** The files of Hugging Face's transformers that say how a text becomes tokens. */
export const TOKENIZER_FILE = 'tokenizer.json';
export const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';
const ARCHITECTURE_FILE = 'config.json';

/** What matters of transformers' `config.json`. */
const architectureSchema = z.object({
  model_type: z.string(),
  pad_token_id: z.number().int().min(0).nullish(),
});

/**
 * The tokenizer in a model's folder.
 *
 * @throws ModelError when it is missing or broken
 */
export async function readTokenizer(folder: string): Promise<TextTokenizer> {
  const tokenizer = await readJson(folder, TOKENIZER_FILE);
  if (tokenizer === undefined) {
    throw new ModelError(`a text model needs a ${TOKENIZER_FILE} beside it`);
  }
  try {
    return await createTokenizer(tokenizer, await readJson(folder, TOKENIZER_CONFIG_FILE));
  } catch (error) {
    if (error instanceof TokenizerError) throw new ModelError(error.message, { cause: error });
    throw error;
  }
}

/** By the kind of model `config.json` names; its RoBERTas pad with the token 1 where they say nothing. */
export async function readPositions(folder: string): Promise<PositionScheme> {
  const { data } = architectureSchema.safeParse(await readJson(folder, ARCHITECTURE_FILE));
  if (!data || !SHIFTED.includes(data.model_type)) return DECODER_POSITIONS;
  return shiftedPositions(data.pad_token_id ?? 1);
}

async function readJson(folder: string, name: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(join(folder, name), 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ModelError(`its ${name} is not valid JSON`, { cause: error });
  }
}
