import { type InferenceError, toInferenceError } from '../errors.ts';
import type { Answer, ErrorEncoder } from '../http/context.ts';
import { errorResponse } from '../http/respond.ts';
import { toRepositoryError } from '../inference/unavailable.ts';
import { StoreError } from '../stores/model-store.ts';

/** The answer to any thrown value. */
export function answerError(
  thrown: unknown,
  requestId: string,
  encodeError: ErrorEncoder = errorResponse,
): Answer {
  const error: InferenceError =
    thrown instanceof StoreError ? toRepositoryError(thrown) : toInferenceError(thrown);
  return { response: encodeError(error, requestId), error, usage: error.usage };
}

/** The answer that some work makes. It never rejects: an error of the work is answered as `encodeError` writes it. */
export async function answerWith(
  requestId: string,
  encodeError: ErrorEncoder | undefined,
  work: () => Response | Answer | Promise<Response | Answer>,
): Promise<Answer> {
  try {
    const made = await work();
    return 'response' in made ? made : { response: made };
  } catch (thrown) {
    return answerError(thrown, requestId, encodeError);
  }
}
