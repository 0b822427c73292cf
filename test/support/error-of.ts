import { InferenceError } from '../../shared/errors.ts';

/** The InferenceError that an action throws; anything else, or nothing, fails the test. */
export function errorOf(action: () => unknown): InferenceError {
  try {
    action();
  } catch (error) {
    if (error instanceof InferenceError) return error;
    throw error;
  }
  throw new Error('expected an InferenceError, but nothing was thrown');
}

/** The InferenceError that a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<InferenceError> {
  const settled = await promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  return errorOf(() => {
    if (settled) throw settled.error;
  });
}

/** Status and message of the InferenceError that a promise rejects with. */
export async function messageOf(promise: Promise<unknown>): Promise<[number, string]> {
  const { status, message } = await rejectionOf(promise);
  return [status, message];
}
