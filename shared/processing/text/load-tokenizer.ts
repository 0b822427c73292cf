import { createCharsMap } from './charsmap.ts';

/**
 * Makes a tokenizer of the package for them, which is loaded here, so that models without texts do not pay for it.
 *
 * @throws Error of the package when it does not know a part of the tokenizer
 */
export async function loadTokenizer(tokenizerJson: object, configJson: object): Promise<PackageTokenizer> {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  const tokenizer: PackageTokenizer = new Tokenizer(tokenizerJson, configJson);
  if (tokenizer.normalizer) applyCharsMaps(tokenizer.normalizer);
  return tokenizer;
}

/** What is used of the package's tokenizer; the types it comes with do not resolve. */
export interface PackageTokenizer {
  readonly normalizer: PackageNormalizer | null;
  readonly post_processor: {
    post_process(
      tokens: readonly string[],
      pair: null,
      special: boolean,
    ): { readonly tokens: readonly string[]; readonly token_type_ids?: readonly number[] };
  } | null;
  encode(
    text: string,
    options: { readonly add_special_tokens: boolean },
  ): { readonly ids: readonly (number | undefined)[] };
  token_to_id(token: string): number | undefined;
}

/** A normalizer, or a sequence of them. */
interface PackageNormalizer {
  readonly normalizers?: readonly (PackageNormalizer | null)[];
  readonly charsmap?: unknown;
  normalize(text: string): string;
}

/** The package takes every such map for the one most models have, and that one for Unicode's own rules. */
function applyCharsMaps(normalizer: PackageNormalizer): void {
  for (const part of normalizer.normalizers ?? []) if (part) applyCharsMaps(part);
  if (typeof normalizer.charsmap === 'string') normalizer.normalize = createCharsMap(normalizer.charsmap);
}
