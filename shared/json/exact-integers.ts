import { InferenceError } from '../errors.ts';

/** A 64-bit whole number came as a number that cannot hold it: the body must be parsed again, with all digits. */
export class UnsafeIntegerError extends InferenceError {
  constructor(field: string, problem: string) {
    super('INVALID_PARAMETER_VALUE', [field, problem]);
  }
}
