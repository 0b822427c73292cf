import type { Attributes } from './any-value.ts';

/** What the semantic conventions for generative AI call a request for the vectors of texts. Source: version 1.37. */
export function embeddingAttributes({
  model,
  version,
}: {
  readonly model?: string | undefined;
  readonly version?: string | undefined;
}): Attributes {
  return {
    'gen_ai.operation.name': 'embeddings',
    'gen_ai.provider.name': 'ternion',
    'gen_ai.request.model': model,
    'gen_ai.response.model': `${model}/${version}`,
  };
}
