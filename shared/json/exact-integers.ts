import { InferenceError } from '../errors.ts';

/** A 64-bit whole number came as a number that cannot hold it: the body must be parsed again, with all digits. */
export class UnsafeIntegerError extends InferenceError {
  constructor(message: string) {
    super('INVALID_PARAMETER_VALUE', message);
  }
}
