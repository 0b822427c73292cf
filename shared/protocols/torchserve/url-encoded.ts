import type { Limits } from '../../config.ts';
import { checkPartCount, type FormField } from '../../http/multipart.ts';
import { sniffImageType } from '../../processing/image/decode/sniff.ts';
import { looksLikeJson } from '../body/json-body.ts';

export const URLENCODED_TYPE = 'application/x-www-form-urlencoded';

/**
 * The fields with the first of some names that occurs in a body. `curl -d` sends everything under this type, so only a
 * body with one of the names is taken for a form.
 *
 * @returns no fields for a body that is not a form
 * @throws InferenceError for too many fields
 */
export function readUrlEncoded(body: Uint8Array, names: readonly string[], limits: Limits): FormField[] {
  if (sniffImageType(body) !== undefined || looksLikeJson(body)) return [];
  const pairs = splitPairs(body, Math.max(...names.map(({ length }) => length)), limits);
  const name = names.find((field) => pairs.some(([key]) => key === field));
  if (name === undefined) return [];
  return pairs.flatMap(([key, value]): FormField[] =>
    key === name ? [{ name, value: mendBase64(decodeValue(value)) }] : [],
  );
}

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PLUS = 0x2b;
const PERCENT = 0x25;
const SPACE = 0x20;

/** The pairs of a form with their values as they were sent. Node's own parser takes seconds for some bodies of 16 MB. */
function splitPairs(
  body: Uint8Array,
  longestName: number,
  { formParts }: Limits,
): [key: string, value: Uint8Array][] {
  const pairs: [string, Uint8Array][] = [];
  let count = 0;
  for (let start = 0; start < body.length; ) {
    checkPartCount(++count, formParts);
    const found = body.indexOf(AMPERSAND, start);
    const end = found === -1 ? body.length : found;
    const pair = body.subarray(start, end);
    const equals = pair.indexOf(EQUALS);
    const key = equals === -1 ? pair : pair.subarray(0, equals);
    // The names in question are short, even if every character is escaped.
    if (key.length <= 3 * longestName) {
      pairs.push([decodeValue(key), equals === -1 ? new Uint8Array(0) : pair.subarray(equals + 1)]);
    }
    start = end + 1;
  }
  return pairs;
}

/** Source: WHATWG URL, application/x-www-form-urlencoded parsing. */
function decodeValue(bytes: Uint8Array): string {
  const decoded = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    const escaped = byte === PERCENT ? hexDigit(bytes[i + 1]) * 16 + hexDigit(bytes[i + 2]) : Number.NaN;
    if (Number.isNaN(escaped)) {
      decoded[length++] = byte === PLUS ? SPACE : byte;
    } else {
      decoded[length++] = escaped;
      i += 2;
    }
  }
  return decoded.toString('utf8', 0, length);
}

/** The value of a hexadecimal digit; NaN for any other byte. */
function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

/** A plus of base64 that its sender did not escape came out as a space. */
function mendBase64(text: string): string {
  if (!text.includes(' ') || !/^[\w+/= -]*$/.test(text)) return text;
  // In memory: there can be millions of them.
  const bytes = Buffer.from(text, 'latin1');
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === SPACE) bytes[i] = PLUS;
  return bytes.toString('latin1');
}
