import { InferenceError } from '../../errors.ts';
import type { ErrorEncoder } from '../../http/context.ts';
import { errorResponse } from '../../http/respond.ts';

/**
 * An error for Hugging Face's clients: a model that cannot be loaded is answered with 500. After 503 the client of
 * JavaScript sends its request again at once, and does so without end.
 * Source: innerRequest of `@huggingface/inference`.
 */
export const encodeTaskError: ErrorEncoder = (error, requestId) =>
  errorResponse(
    error.code === 'MODEL_UNAVAILABLE' ? new InferenceError('INTERNAL_ERROR', error.message) : error,
    requestId,
  );
