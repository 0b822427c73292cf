import { isUtf8 } from 'node:buffer';
import { InferenceError, invalid, overLimit } from '../errors.ts';
import { decodeBase64 } from './base64.ts';
import { type ParameterHeader, readParameters, textParameter } from './header-parameters.ts';
import { FORM_TYPE } from './media-type.ts';

/** A field of a form: a file is bytes, anything else text. */
export interface FormField {
  readonly name: string;
  readonly value: string | Uint8Array;
}

/**
 * The fields of a form in their order. Files are views of the body, not copies. A part is a file when it has a file
 * name, when its type says so, or when it is not text: the file name is optional.
 * Source: RFC 7578 and RFC 2046, section 5.1.
 *
 * @param contentType header of the request, which names the boundary
 * @param formParts most parts (MAX_FORM_PARTS)
 * @throws InferenceError saying what is wrong with the form, or which part is
 */
export function readForm(contentType: string, body: Uint8Array, formParts: number): FormField[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const split = cutParts(bytes, readBoundary(contentType), formParts).map(splitPart);
  checkHeaders(split, formParts);
  const parts = split.map(readPart);
  const declared = parts.find(({ name }) => name === '_charset_');
  const charset = declared && contentOf(declared).toString('latin1');
  return parts.map((part) => ({ name: part.name, value: readValue(part, charset) }));
}

/** @throws InferenceError for a form with more parts than MAX_FORM_PARTS */
export function checkPartCount(count: number, formParts: number): void {
  if (count > formParts) {
    throw overLimit('The form', `has more than ${formParts} parts, which is the limit (MAX_FORM_PARTS).`);
  }
}

function malformed(problem: string): InferenceError {
  return new InferenceError('BAD_REQUEST', ['The body', `is not valid ${FORM_TYPE}: ${problem}.`]);
}

/** As RFC 2046 has it. */
const LONGEST_BOUNDARY = 70;

function readBoundary(contentType: string): string {
  const boundary = readParameters(contentType)?.parameters.get('boundary');
  if (!boundary) throw malformed('its Content-Type names no boundary');
  if (boundary.length <= LONGEST_BOUNDARY) return boundary;
  throw malformed(`its boundary has ${boundary.length} characters; expected at most ${LONGEST_BOUNDARY}`);
}

const NEW_LINE = '\r\n';
const BLANK_LINE = '\r\n\r\n';
const DASH = 0x2d;
const SPACE = 0x20;
const TAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;

/**
 * What stands between the lines of the boundary: headers and content, starting at the line break before them. A line
 * that only begins like the boundary belongs to the part, as in other parsers, so a file may contain the text of a
 * short boundary.
 */
function cutParts(bytes: Buffer, boundary: string, formParts: number): Buffer[] {
  const delimiter = Buffer.from(`${NEW_LINE}--${boundary}`, 'latin1');
  const opening = delimiter.subarray(NEW_LINE.length);
  const parts: Buffer[] = [];
  let start: number | undefined;
  // Any text, or none, may stand before the first line of the boundary.
  let line = opening;
  for (let at = bytes.indexOf(line); at !== -1; ) {
    const after = at + line.length;
    // A form without parts consists of the last line only.
    const mayEnd = start !== undefined || at === 0;
    const isLast = mayEnd && bytes[after] === DASH && bytes[after + 1] === DASH;
    const end = endOfLine(bytes, isLast ? after + 2 : after, isLast);
    if (end !== undefined) {
      if (start !== undefined) {
        checkPartCount(parts.length + 1, formParts);
        parts.push(bytes.subarray(start, at));
      }
      if (isLast) return parts;
      start = end - NEW_LINE.length;
      line = delimiter;
    }
    at = bytes.indexOf(line, start === undefined || end === undefined ? after : start);
  }
  throw malformed(describeEnd(bytes, opening, start !== undefined));
}

/**
 * Where the next line begins; undefined if more than white space follows: then this is not a line of the boundary.
 *
 * @param mayEnd whether it may be the last line, of whose line break senders leave out some or all
 */
function endOfLine(bytes: Buffer, from: number, mayEnd: boolean): number | undefined {
  let at = from;
  while (bytes[at] === SPACE || bytes[at] === TAB) at++;
  if (bytes[at] === CR && bytes[at + 1] === LF) return at + NEW_LINE.length;
  const isEnd = at >= bytes.length || bytes[at] === LF || (bytes[at] === CR && at + 1 === bytes.length);
  return mayEnd && isEnd ? at : undefined;
}

function describeEnd(bytes: Buffer, opening: Buffer, hasBegun: boolean): string {
  if (hasBegun) return 'it ends before the last line of its boundary; is it cut off?';
  const at = bytes.indexOf(opening);
  if (at !== -1 && bytes[at + opening.length] === LF) return 'its lines end in LF; expected CRLF';
  return `it has no line with its boundary, ${JSON.stringify(opening.toString('latin1'))}`;
}

/** Most bytes in the headers of a part, as for a request. */
const LONGEST_HEADERS = 16 * 1024;
/**
 * The headers of all parts together may have that and a kilobyte for each part: reading them takes much longer than
 * finding them.
 */
const MEAN_HEADERS = 1024;

/** The two halves of a part. */
interface SplitPart {
  readonly headers: Buffer;
  readonly content: Buffer;
}

function splitPart(part: Buffer): SplitPart {
  const blank = part.subarray(0, LONGEST_HEADERS + BLANK_LINE.length).indexOf(BLANK_LINE);
  if (blank !== -1) {
    return { headers: part.subarray(0, blank), content: part.subarray(blank + BLANK_LINE.length) };
  }
  if (part.length > LONGEST_HEADERS) {
    throw overLimit(
      `A part of the form has more than ${LONGEST_HEADERS} bytes of headers, which is the limit.`,
    );
  }
  // An empty part may end with its headers: the line break of the boundary makes the blank line then.
  if (part.subarray(-NEW_LINE.length).equals(Buffer.from(NEW_LINE))) {
    return { headers: part, content: part.subarray(part.length) };
  }
  throw malformed('no blank line follows the headers of a part');
}

function checkHeaders(parts: readonly SplitPart[], formParts: number): void {
  const limit = LONGEST_HEADERS + formParts * MEAN_HEADERS;
  if (parts.reduce((total, { headers }) => total + headers.length, 0) <= limit) return;
  throw overLimit(
    'The form',
    `has more than ${limit} bytes of headers in all its parts, which is the limit (from MAX_FORM_PARTS).`,
  );
}

/** A part whose headers were read. */
interface Part {
  readonly name: string;
  readonly hasFileName: boolean;
  readonly type: ParameterHeader | undefined;
  readonly encoding: string;
  readonly content: Buffer;
}

function readPart({ headers: bytes, content }: SplitPart, index: number): Part {
  const headers = readHeaders(bytes);
  const disposition = readParameters(headers.get('content-disposition') ?? '');
  const name = disposition && textParameter(disposition, 'name');
  if (disposition?.value !== 'form-data' || name === undefined) {
    throw malformed(`part ${index + 1} has no header Content-Disposition: form-data with a name`);
  }
  return {
    name,
    hasFileName: ['filename', 'filename*'].some((key) => disposition.parameters.has(key)),
    type: readParameters(headers.get('content-type') ?? ''),
    encoding: (headers.get('content-transfer-encoding') ?? 'binary').toLowerCase(),
    content,
  };
}

/** Headers by their names in lower case; one that was folded is on one line. */
function readHeaders(bytes: Buffer): Map<string, string> {
  const lines = bytes
    .toString()
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split(NEW_LINE)
    .filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      if (colon === -1) throw malformed('a header of a part has no colon');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

/** Encodings that leave bytes unchanged. */
const PLAIN_ENCODINGS = ['7bit', '8bit', 'binary', ''];

/**
 * The bytes that a part stands for.
 *
 * @throws InferenceError for encodings of mail except base64
 */
function contentOf({ name, encoding, content }: Part): Buffer {
  if (PLAIN_ENCODINGS.includes(encoding) || content.length === 0) return content;
  if (encoding === 'base64') return Buffer.from(decodeBase64(content.toString('latin1'), name));
  throw invalid(
    `Field "${name}"`,
    `has the Content-Transfer-Encoding ${JSON.stringify(encoding.slice(0, 40))}; expected unencoded bytes or base64.`,
  );
}

function readValue(part: Part, declaredCharset: string | undefined): string | Uint8Array {
  const { type, hasFileName } = part;
  const content = contentOf(part);
  const isFileType = type?.value.startsWith('image/') || type?.value === 'application/octet-stream';
  if (hasFileName || isFileType) return content;
  const charset = type?.parameters.get('charset') ?? declaredCharset ?? 'utf-8';
  if (/^utf-8$/i.test(charset)) return isUtf8(content) ? content.toString() : content;
  return decodeText(content, charset, part.name);
}

/** The longest label of the Encoding Standard has 19 characters. Each part of a form would look through a longer one. */
const LONGEST_CHARSET = 40;

function decodeText(content: Uint8Array, charset: string, name: string): string {
  try {
    if (charset.length <= LONGEST_CHARSET) return new TextDecoder(charset).decode(content);
  } catch {
    // The error below reports it, as for one that is too long.
  }
  throw invalid(
    `Field "${name}"`,
    `is in the charset ${JSON.stringify(charset.slice(0, LONGEST_CHARSET))}, which is not known; expected utf-8.`,
  );
}
