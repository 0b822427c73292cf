import { createReadStream } from 'node:fs';

/** One line of a text file, without its line break. */
export interface Line {
  readonly text: string;
  /** Its line break, because a cell of CSV may continue after it. */
  readonly end: string;
  /** Why it cannot be used: `is ...`, to be put after its name. */
  readonly problem?: string;
}

/** Longer than an image in base64 that a server would take. */
const LONGEST_LINE_BYTES = 64 * 1024 * 1024;
const READ_BYTES = 256 * 1024;
const [LINE_FEED, CARRIAGE_RETURN] = [0x0a, 0x0d];

/**
 * Reads a text file as blocks of lines, as many as are read at once; memory does not grow with the file. Lines end with
 * LF, CRLF or CR. The text is UTF-8, or UTF-16 if a byte order mark says so. A line that is not valid or is too long
 * comes without its text, and with the problem.
 *
 * @param seen called with the number of bytes that were read from the file
 */
export async function* readLines(
  path: string,
  seen: (bytes: number) => void = () => undefined,
): AsyncIterable<readonly Line[]> {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let isTooLong = false;
  for await (let chunk of readUtf8(path, seen)) {
    if (isTooLong) {
      const end = endOfFirstLine(chunk);
      if (end === 0) continue;
      isTooLong = false;
      yield [TOO_LONG];
      chunk = chunk.subarray(end);
    }
    const end = endOfLastLine(chunk);
    if (end > 0) {
      yield decodeLines(Buffer.concat([...kept, chunk.subarray(0, end)]));
      kept = [];
      keptBytes = 0;
    }
    kept.push(chunk.subarray(end));
    keptBytes += chunk.length - end;
    if (keptBytes <= LONGEST_LINE_BYTES) continue;
    isTooLong = true;
    kept = [];
    keptBytes = 0;
  }
  if (isTooLong) yield [TOO_LONG];
  else if (keptBytes > 0) yield decodeLines(Buffer.concat(kept));
}

const TOO_LONG: Line = { text: '', end: '\n', problem: 'is longer than 64 MiB' };

/** The bytes of a file in UTF-8, without a byte order mark. */
async function* readUtf8(path: string, seen: (bytes: number) => void): AsyncIterable<Buffer> {
  const stream = createReadStream(path, { highWaterMark: READ_BYTES });
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let isFirst = true;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) throw new Error('a file without an encoding is read as bytes');
    seen(stream.bytesRead);
    const bytes = chunk;
    if (isFirst && bytes[0] === 0xff && bytes[1] === 0xfe) decoder = new TextDecoder('utf-16le');
    if (isFirst && bytes[0] === 0xfe && bytes[1] === 0xff) decoder = new TextDecoder('utf-16be');
    const hasMark = isFirst && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    isFirst = false;
    if (decoder) yield Buffer.from(decoder.decode(bytes, { stream: true }));
    else yield hasMark ? bytes.subarray(3) : bytes;
  }
  if (decoder) yield Buffer.from(decoder.decode());
}

function endOfFirstLine(chunk: Buffer): number {
  const ends = [chunk.indexOf(LINE_FEED), chunk.indexOf(CARRIAGE_RETURN)].filter((at) => at !== -1);
  return ends.length === 0 ? 0 : Math.min(...ends) + 1;
}

/** A CR at the very end may be half of a CRLF. */
function endOfLastLine(chunk: Buffer): number {
  return 1 + Math.max(chunk.lastIndexOf(LINE_FEED), chunk.subarray(0, -1).lastIndexOf(CARRIAGE_RETURN));
}

function decodeLines(block: Buffer): readonly Line[] {
  const text = decode(block);
  if (text !== undefined) return splitLines(text);
  // This way each byte is one character, so the lines can be split before it is known which of them are invalid.
  return splitLines(block.toString('latin1')).map(({ text: bytes, end }) => {
    const line = decode(Buffer.from(bytes, 'latin1'));
    return line === undefined ? { text: '', end, problem: 'is not valid UTF-8' } : { text: line, end };
  });
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function splitLines(text: string): readonly Line[] {
  if (!text.includes('\r')) {
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.map((line) => ({ text: line, end: '\n' }));
  }
  const parts = text.split(/(\r\n|\n|\r)/);
  return Array.from({ length: Math.ceil(parts.length / 2) }, (_, index) => ({
    text: parts[2 * index] ?? '',
    end: parts[2 * index + 1] ?? '',
  })).filter((line) => line.text !== '' || line.end !== '');
}
