import type { Limits } from '../config.ts';
import { type InferenceError, overLimit } from '../errors.ts';
import { endOfString } from '../json/parse-json.ts';

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Media types of bodies and answers with one JSON value per line. */
export const LINES_TYPES = [
  'application/jsonlines',
  'application/x-jsonlines',
  'application/jsonl',
  'application/jsons',
  'application/x-ndjson',
  'application/ndjson',
] as const;

export function isLinesType(mediaType: string): boolean {
  return LINES_TYPES.some((type) => type === mediaType);
}

/** Parts of a body. The body is not copied, as there can be millions of parts. */
export interface ByteRanges {
  readonly count: number;
  readonly at: (index: number) => Uint8Array;
  /** How many bytes the parts from `start` to `end` (exclusive) have, including what stands between them. */
  readonly bytesOf: (start: number, end: number) => number;
}

/** Where a text starts: after its byte order mark, if it has one. */
export function startOfText(body: Uint8Array): number {
  return BYTE_ORDER_MARK.equals(body.subarray(0, 3)) ? 3 : 0;
}

/**
 * The lines of a body, without those that hold only white space.
 *
 * @param comment the character that starts a comment; lines that hold nothing else are left out, too
 * @throws InferenceError PAYLOAD_TOO_LARGE for more than MAX_LINES
 */
export function splitLines(body: Uint8Array, limits: Limits, comment?: number): ByteRanges {
  const bounds: number[] = [];
  for (let start = startOfText(body); start < body.length; ) {
    const found = body.indexOf(LINE_FEED, start);
    const end = found === -1 ? body.length : found;
    if (!isBlank(body, start, end, comment)) bounds.push(start, end);
    if (bounds.length > 2 * limits.lines) throw tooManyLines(limits);
    start = end + 1;
  }
  return rangesOf(body, bounds);
}

/**
 * Separates JSON values that follow each other, with or without white space between them. Only lists and objects can be
 * separated this way; anything between them belongs to the one after it. Source: the JSON Lines of SageMaker's
 * TensorFlow Serving container.
 */
export function splitConcatenated(body: Uint8Array, limits: Limits): ByteRanges {
  const bounds: number[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i] ?? 0;
    if (byte === QUOTE) {
      i = endOfString(body, i);
    } else if (byte === 0x5b || byte === 0x7b) {
      depth++;
    } else if ((byte === 0x5d || byte === 0x7d) && --depth === 0) {
      bounds.push(start, i + 1);
      if (bounds.length > 2 * limits.lines) throw tooManyLines(limits);
      start = i + 1;
    }
  }
  if (!isBlank(body, start, body.length)) bounds.push(start, body.length);
  return rangesOf(body, bounds);
}

export function tooManyLines({ lines }: Limits): InferenceError {
  return overLimit(
    'The body',
    `has more than ${lines} lines, which is the limit (MAX_LINES); send fewer at once.`,
  );
}

function rangesOf(body: Uint8Array, bounds: readonly number[]): ByteRanges {
  return {
    count: bounds.length / 2,
    at: (index) => body.subarray(bounds[2 * index], bounds[2 * index + 1]),
    bytesOf: (start, end) => (bounds[2 * end - 1] ?? 0) - (bounds[2 * start] ?? 0),
  };
}

function isBlank(body: Uint8Array, start: number, end: number, comment?: number): boolean {
  for (let i = start; i < end; i++) if ((body[i] ?? 0) > SPACE) return body[i] === comment;
  return true;
}
