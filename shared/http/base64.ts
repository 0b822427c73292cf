import { invalid } from '../errors.ts';

const DATA_URI = /^data:([^,]{0,200}),/i;
const FOREIGN_CHARACTER = /[^A-Za-z0-9+/_\-=\s]/;
const PADDING_INSIDE = /=\s*[^=\s]/;

/**
 * Decodes base64 text (RFC 4648): standard or URL-safe alphabet, with or without padding, line breaks and a
 * `data:` prefix.
 *
 * @param field where the text stands in the request, for errors
 * @throws InferenceError naming the field and the first character that is not base64
 */
export function decodeBase64(text: string, field: string): Uint8Array {
  const prefix = DATA_URI.exec(text);
  if (prefix && !/;\s*base64\s*$/i.test(prefix[1] ?? '')) {
    throw invalid(`Field "${field}"`, 'is a data URI without base64; expected "data:<type>;base64,<data>".');
  }
  const content = prefix ? text.slice(prefix[0].length) : text;
  const foreign = FOREIGN_CHARACTER.exec(content);
  if (foreign) {
    const position = foreign.index + (prefix?.[0].length ?? 0);
    throw invalid(
      `Field "${field}"`,
      `is not base64: unexpected ${JSON.stringify(foreign[0])} at position ${position}.`,
    );
  }
  if (PADDING_INSIDE.test(content)) throw invalid(`Field "${field}"`, 'is not base64: "=" in the middle.');
  // Four characters stand for three bytes; a single one left over stands for less than one and would be dropped.
  if (countDigits(content) % 4 === 1) {
    throw invalid(
      `Field "${field}"`,
      'is not base64: its last character does not complete a byte; is it cut off?',
    );
  }
  const bytes = Buffer.from(content, 'base64');
  if (bytes.length === 0) throw invalid(`Field "${field}"`, 'is empty; expected base64 data.');
  return bytes;
}

/**
 * How many characters of a base64 text are neither padding nor white space. Other kinds of white space are not ASCII.
 */
function countDigits(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > SPACE && code < DELETE && code !== EQUALS) count++;
  }
  return count;
}

const SPACE = 0x20;
const EQUALS = 0x3d;
const DELETE = 0x7f;
