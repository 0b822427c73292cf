import { invalid } from '../errors.ts';

/**
 * The text that an element of an input is.
 *
 * @param field names the input, to go after "of"
 * @throws InferenceError for bytes that are not UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, index: number, field: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(`Element ${index} of ${field} is not valid UTF-8, which the strings of this model are.`);
  }
}
