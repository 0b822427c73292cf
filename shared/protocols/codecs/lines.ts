const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Names under which one JSON value per line comes, and goes. */
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

/** The lines of a body as bytes, without those that hold nothing but white space. */
export function splitLines(body: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  const first = BYTE_ORDER_MARK.equals(body.subarray(0, 3)) ? 3 : 0;
  for (let start = first; start < body.length; ) {
    const found = body.indexOf(LINE_FEED, start);
    const end = found === -1 ? body.length : found;
    const line = body.subarray(start, end);
    if (!isBlank(line)) lines.push(line);
    start = end + 1;
  }
  return lines;
}

/**
 * Takes apart JSON values that stand one behind the other, with or without white space between them. Only lists and
 * objects can be told apart so; what stands between them stays with the one behind it.
 * Source: the JSON Lines of SageMaker's TensorFlow Serving container.
 */
export function splitConcatenated(body: Uint8Array): Uint8Array[] {
  const values: Uint8Array[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i] ?? 0;
    if (byte === QUOTE) {
      i = endOfString(body, i);
    } else if (byte === 0x5b || byte === 0x7b) {
      depth++;
    } else if ((byte === 0x5d || byte === 0x7d) && --depth === 0) {
      values.push(body.subarray(start, i + 1));
      start = i + 1;
    }
  }
  const rest = body.subarray(start);
  return isBlank(rest) ? values : [...values, rest];
}

/** Index of the quote that closes a string, or of the end of the body. */
function endOfString(body: Uint8Array, start: number): number {
  for (let end = body.indexOf(QUOTE, start + 1); end !== -1; end = body.indexOf(QUOTE, end + 1)) {
    let backslashes = 0;
    while (body[end - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return body.length;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte <= 0x20);
}
