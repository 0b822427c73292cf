import * as z from 'zod/mini';
import { parseJsonFile } from '../models/formats/format-folder.ts';
import { SHIFTED } from '../models/formats/token-limit.ts';
import { ModelError } from '../models/model-config.ts';
import type { ModelFolder } from '../models/version-folder.ts';
import {
  DECODER_POSITIONS,
  type PositionScheme,
  shiftedPositions,
} from '../processing/text/embedding/positions.ts';
import { TokenizerError } from '../processing/text/tokenizer/parts.ts';
import { createTokenizer, type TextTokenizer } from '../processing/text/tokenizer/tokenizer.ts';

/** The files of Hugging Face's transformers that define how a text becomes tokens. */
export const TOKENIZER_FILE = 'tokenizer.json';
export const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';
const ARCHITECTURE_FILE = 'config.json';

/** The members of transformers' `config.json` that matter. */
const architectureSchema = z.object({
  model_type: z.string(),
  pad_token_id: z.nullish(z.int().check(z.minimum(0))),
});

/**
 * The tokenizer in a model's folder.
 *
 * @throws ModelError when it is missing or broken
 */
export async function readTokenizer(folder: ModelFolder): Promise<TextTokenizer> {
  const tokenizer = await parse(await folder.readLarge(TOKENIZER_FILE), TOKENIZER_FILE);
  if (tokenizer === undefined) {
    throw new ModelError(`a text model needs a ${TOKENIZER_FILE} next to it`);
  }
  try {
    return await createTokenizer(
      tokenizer,
      await parse(await folder.read(TOKENIZER_CONFIG_FILE), TOKENIZER_CONFIG_FILE),
    );
  } catch (error) {
    if (error instanceof TokenizerError) throw new ModelError(error.message, { cause: error });
    throw error;
  }
}

/** By the kind of model in `config.json`. RoBERTas pad with token 1 if the file does not say. */
export async function readPositions(folder: ModelFolder): Promise<PositionScheme> {
  const { data } = architectureSchema.safeParse(
    await parse(await folder.read(ARCHITECTURE_FILE), ARCHITECTURE_FILE),
  );
  if (!data || !SHIFTED.includes(data.model_type)) return DECODER_POSITIONS;
  return shiftedPositions(data.pad_token_id ?? 1);
}

async function parse(content: string | Buffer | undefined, name: string): Promise<unknown> {
  return content === undefined ? undefined : await parseJsonFile(content.toString(), name, z.unknown());
}
