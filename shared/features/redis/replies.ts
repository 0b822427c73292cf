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

/**
 * 8 MiB. Rows of features are small: a reply beyond this comes from something that is not Redis, or is not a row. It is one
 * number because a product would stay in compiled own code that does not use Redis.
 */
const MOST_BYTES = 8_388_608;
const MOST_DEPTH = 4;
/** The longest line: a status, an error, a number or a length. */
const LONGEST_LINE = 65_536;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** A list of which not all is there yet. */
interface OpenList {
  readonly items: Reply[];
  readonly length: number;
}

/**
 * Reads replies from a stream. Each byte is looked at once, and copied at most once, however small the pieces are in
 * which it comes.
 *
 * @param take called with each whole reply
 * @returns takes the next bytes
 * @throws MalformedReplyError, in the function that it returns
 */
export function createReplyReader(take: (reply: Reply) => void): (bytes: Buffer) => void {
  const lists: OpenList[] = [];
  /** What has come of a line or a text. */
  let parts: Buffer[] = [];
  let partsLength = 0;
  /** How much of a text is to come, with its end of line; undefined while a line is read. */
  let textLength: number | undefined;
  /** How much came of the reply. */
  let size = 0;

  const add = (part: Buffer) => {
    parts.push(part);
    partsLength += part.length;
    size += part.length;
    if (size > MOST_BYTES) throw new MalformedReplyError(`a reply has more than ${MOST_BYTES} bytes`);
  };
  const takeParts = () => {
    const [only] = parts;
    const whole = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, partsLength);
    parts = [];
    partsLength = 0;
    return whole;
  };
  const finish = (reply: Reply) => {
    let whole = reply;
    for (let list = lists.at(-1); list !== undefined; list = lists.at(-1)) {
      list.items.push(whole);
      if (list.items.length < list.length) return;
      whole = list.items;
      lists.pop();
    }
    size = 0;
    take(whole);
  };
  const finishLine = () => {
    const { kind, text } = splitLine(takeParts());
    if (kind === '+') return finish(text);
    if (kind === '-') return finish(new ReplyError(text));
    if (kind === ':') return finish(readWhole(text, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER));
    const length = readWhole(text, -1, MOST_BYTES);
    if (length === -1) return finish(null);
    if (kind === '$') {
      textLength = length + END_LENGTH;
      return;
    }
    if (length === 0) return finish([]);
    if (lists.length >= MOST_DEPTH) throw new MalformedReplyError('a reply has too many lists in lists');
    lists.push({ items: [], length });
  };

  return (bytes) => {
    let start = 0;
    while (start < bytes.length) {
      if (textLength === undefined) {
        if (partsLength === 0) checkKind(bytes[start]);
        const feed = bytes.indexOf(LINE_FEED, start);
        const end = feed < 0 ? bytes.length : feed + 1;
        if (partsLength + end - start > LONGEST_LINE)
          throw new MalformedReplyError('a line of a reply is too long');
        add(bytes.subarray(start, end));
        start = end;
        if (feed >= 0) finishLine();
      } else {
        const end = Math.min(bytes.length, start + textLength - partsLength);
        add(bytes.subarray(start, end));
        start = end;
        if (partsLength < textLength) return;
        textLength = undefined;
        finish(readText(takeParts()));
      }
    }
  };
}

const KINDS = '+-:$*';
/** CR and LF. */
const END_LENGTH = 2;

function checkKind(byte = 0): void {
  if (!KINDS.includes(String.fromCharCode(byte)))
    throw new MalformedReplyError('a reply starts with another character than + - : $ *');
}

function splitLine(line: Buffer): { readonly kind: string; readonly text: string } {
  if (line.at(-END_LENGTH) !== CARRIAGE_RETURN)
    throw new MalformedReplyError('a line of a reply has no CR before its LF');
  const text = line.toString('utf8', 0, line.length - END_LENGTH);
  return { kind: text.slice(0, 1), text: text.slice(1) };
}

function readWhole(text: string, least: number, most: number): number {
  const value = /^-?\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new MalformedReplyError('a reply has a wrong number or length');
}

function readText(bytes: Buffer): string {
  if (bytes.at(-2) !== CARRIAGE_RETURN || bytes.at(-1) !== LINE_FEED)
    throw new MalformedReplyError('a text is longer than its length says');
  return bytes.toString('utf8', 0, bytes.length - END_LENGTH);
}

/** Commands as Redis reads them: each a list of texts. */
export function writeCommands(commands: readonly (readonly string[])[]): string {
  const written = commands.map(
    (words) =>
      `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
  );
  return written.join('');
}
