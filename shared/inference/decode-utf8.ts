import { invalid } from '../errors.ts';

/**
 * Decodes an element of an input as text.
 *
 * @param field name of the input, to follow "of"
 * @throws InferenceError for bytes that are not UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, index: number, field: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(`Element ${index} of ${field} is not valid UTF-8; the strings of this model must be.`);
  }
}
