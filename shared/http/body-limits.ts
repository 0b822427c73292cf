import type { Limits } from '../config.ts';
import { type InferenceError, overLimit } from '../errors.ts';

/** The limits for a body before its content is read. */
export type BodyLimits = Pick<Limits, 'bodyBytes' | 'compressionRatio'>;

/** Content codings of HTTP that a body may have. Source: RFC 9110, section 8.4.1. */
export const CODINGS: readonly string[] = ['gzip', 'x-gzip', 'deflate', 'br'];

/** A body that a gateway compressed again has two; each takes the time of a whole body. */
export const MOST_CODINGS = 2;

export function tooLarge(bytes: number): InferenceError {
  return overLimit('The request body', `is larger than ${bytes} bytes, which is the limit (MAX_BODY_BYTES).`);
}
