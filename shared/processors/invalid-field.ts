import { InferenceError } from '../errors.ts';

/** Most characters of a field, and of a problem: own code may put values of a client into them. */
const LONGEST_FIELD = 200;
const LONGEST_PROBLEM = 1000;

/** The error for a part of a request that own code refuses. */
export function invalidField(field: string, problem: string): InferenceError {
  const name = `Field "${cut(field, LONGEST_FIELD)}"`;
  return new InferenceError('INVALID_PARAMETER_VALUE', [name, cut(problem, LONGEST_PROBLEM)]);
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
