/** A reply of Redis in RESP2. An error is a value: in a pipeline, one command can fail. */
export type Reply = string | number | null | ReplyError | readonly Reply[];

/** An error that Redis replied with, such as `WRONGTYPE Operation against a key holding the wrong kind of value`. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/** What came is not RESP2. */
export class MalformedReplyError extends Error {
  override readonly name = 'MalformedReplyError';
}

/** Rows of features are small. A length beyond this comes from something that is not Redis. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_DEPTH = 4;
/** The longest line: a status, an error, a number or a length. */
const LONGEST_LINE = 64 * 1024;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Reads replies from a stream.
 *
 * @param take called with each whole reply
 * @returns takes the next bytes
 * @throws MalformedReplyError, in the function that it returns
 */
export function createReplyReader(take: (reply: Reply) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let start = 0;
    for (let found = readReply(rest, start, 0); found !== undefined; found = readReply(rest, start, 0)) {
      start = found.end;
      take(found.reply);
    }
    rest = rest.subarray(start);
    if (rest.length > MOST_BYTES) throw new MalformedReplyError(`a reply has more than ${MOST_BYTES} bytes`);
  };
}

interface Found<R extends Reply> {
  readonly reply: R;
  /** Where the next one starts. */
  readonly end: number;
}

/** @returns undefined if a part of the reply is not there yet */
function readReply(bytes: Buffer, start: number, depth: number): Found<Reply> | undefined {
  if (depth > MOST_DEPTH) throw new MalformedReplyError('a reply has too many lists in lists');
  if (start >= bytes.length) return undefined;
  const kind = String.fromCharCode(bytes[start] ?? 0);
  if (!'+-:$*'.includes(kind))
    throw new MalformedReplyError('a reply starts with another character than + - : $ *');
  const line = readLine(bytes, start + 1);
  if (line === undefined) return undefined;
  const { reply: text, end } = line;
  switch (kind) {
    case '+':
      return line;
    case '-':
      return { reply: new ReplyError(text), end };
    case ':':
      return { reply: readWhole(text, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), end };
    case '$':
      return readText(bytes, end, readWhole(text, -1, MOST_BYTES));
    default:
      return readList(bytes, end, readWhole(text, -1, MOST_BYTES), depth);
  }
}

function readLine(bytes: Buffer, start: number): Found<string> | undefined {
  const feed = bytes.indexOf(LINE_FEED, start);
  const length = (feed < 0 ? bytes.length : feed) - start;
  if (length > LONGEST_LINE) throw new MalformedReplyError('a line of a reply is too long');
  if (feed < 0) return undefined;
  if (bytes[feed - 1] !== CARRIAGE_RETURN)
    throw new MalformedReplyError('a line of a reply has no CR before its LF');
  return { reply: bytes.toString('utf8', start, feed - 1), end: feed + 1 };
}

function readWhole(text: string, least: number, most: number): number {
  const value = /^-?\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new MalformedReplyError('a reply has a wrong number or length');
}

function readText(bytes: Buffer, start: number, length: number): Found<string | null> | undefined {
  if (length === -1) return { reply: null, end: start };
  const end = start + length + 2;
  if (bytes.length < end) return undefined;
  if (bytes[end - 2] !== CARRIAGE_RETURN || bytes[end - 1] !== LINE_FEED) {
    throw new MalformedReplyError('a text is longer than its length says');
  }
  return { reply: bytes.toString('utf8', start, end - 2), end };
}

function readList(
  bytes: Buffer,
  start: number,
  length: number,
  depth: number,
): Found<null | readonly Reply[]> | undefined {
  if (length === -1) return { reply: null, end: start };
  const list: Reply[] = [];
  let end = start;
  while (list.length < length) {
    const found = readReply(bytes, end, depth + 1);
    if (found === undefined) return undefined;
    list.push(found.reply);
    end = found.end;
  }
  return { reply: list, end };
}

/** Commands as Redis reads them: each a list of texts. */
export function writeCommands(commands: readonly (readonly string[])[]): string {
  const written = commands.map(
    (words) =>
      `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
  );
  return written.join('');
}
