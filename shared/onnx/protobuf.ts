import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';

/** Random access to bytes, so that a graph can be read without reading its weights. */
export interface ByteSource {
  readonly length: number;
  /** One byte; `at` is below `length`. */
  byteAt(at: number): number;
  /** The bytes from `start` to `end`; fewer if the source ends earlier. */
  bytes(start: number, end: number): Uint8Array;
  /** Writes the bytes from `start` to `end` into a larger array. */
  copy(start: number, end: number, target: Uint8Array, at: number): void;
}

/** The bytes violate the wire format, as in damaged files and files of other formats. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** One field of a message: a number for the varint wire type, a range of the source for length-delimited ones. */
export interface Field {
  readonly number: number;
  readonly wireType: number;
  /**
   * Value of a varint field, 0 for the others. int64 beyond 2^53 loses digits, but no field that Ternion reads has such
   * values.
   */
  readonly value: number;
  /** Start of the field's tag. */
  readonly fieldStart: number;
  /** Start and end of its content. */
  readonly start: number;
  readonly end: number;
}

const WIRE_VARINT = 0;
const WIRE_64_BIT = 1;
const WIRE_LENGTH_DELIMITED = 2;
const WIRE_32_BIT = 5;
const LONGEST_VARINT = 10;
/** Source: the protocol buffers encoding guide (a tag is a varint of 32 bits, three of them the wire type). */
const LARGEST_NUMBER = 2 ** 29 - 1;
const WINDOW_BYTES = 16 * 1024;
/** Files up to this size are read at once: their weights are outside of them, or few. */
const WHOLE_BYTES = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** Most bytes per read: operating systems read less than 2 GiB in one call. */
const COPIED_AT_ONCE = 1024 ** 3;
/** How many fields to skip one by one before skipping in chunks pays off. */
const LONG_LIST = 16;

/**
 * The fields of a message, in order, without parsing their content.
 * Source: the protocol buffers encoding guide (varints, tags, length-delimited records).
 *
 * @param isWanted whether to return fields with this number; the others are skipped, which costs next to nothing
 * @throws ProtobufError when the bytes cannot be a message
 */
export function* readFields(
  source: ByteSource,
  start = 0,
  end = source.length,
  isWanted?: (number: number) => boolean,
): Generator<Field> {
  const cursor = new Cursor(source, start, end);
  let passed = 0;
  while (cursor.position < end) {
    const fieldStart = cursor.position;
    const tag = cursor.varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    // The runtime drops the higher bits of larger numbers, so it would see another field than Ternion does.
    if (number < 1 || number > LARGEST_NUMBER) {
      throw new ProtobufError(`field number ${number} at byte ${fieldStart}`);
    }
    let contentStart = cursor.position;
    let value = 0;
    if (wireType === WIRE_VARINT) value = cursor.varint();
    else {
      const length = cursor.length(wireType, fieldStart);
      contentStart = cursor.position;
      cursor.position += length;
    }
    if (isWanted && !isWanted(number)) {
      passed += 1;
      if (passed % LONG_LIST === 0) cursor.passOver(tag);
      continue;
    }
    yield { number, wireType, value, fieldStart, start: contentStart, end: cursor.position };
  }
}

/** A position in a message from which numbers are read. */
class Cursor {
  position: number;
  readonly #source: ByteSource;
  readonly #end: number;

  constructor(source: ByteSource, position: number, end: number) {
    this.#source = source;
    this.position = position;
    this.#end = end;
  }

  varint(): number {
    const start = this.position;
    const longest = Math.min(this.#end - start, LONGEST_VARINT);
    let value = 0;
    let scale = 1;
    for (let i = 0; i < longest; i++) {
      const byte = this.#source.byteAt(start + i);
      // Multiplication, as shifts only work on 32 bits.
      if (i < 9) value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte >= 0x80) continue;
      this.position = start + i + 1;
      return i < 9 ? value : this.#negative(start);
    }
    throw new ProtobufError(`varint at byte ${start} has no end`);
  }

  /**
   * Ten-byte varints are negative int64 in two's complement; small ones are exact only if computed from the complement.
   */
  #negative(start: number): number {
    let complement = 0;
    for (let i = 0; i < 9; i++) complement += (~this.#source.byteAt(start + i) & 0x7f) * 128 ** i;
    return -complement - 1;
  }

  /** Skips the following fields with the same tag: the numbers of a forest are millions of small fields. */
  passOver(tag: number): void {
    if (tag >= 0x80) return;
    for (let at = -1; at !== 0; ) {
      const chunk = this.#source.bytes(this.position, Math.min(this.#end, this.position + CHUNK_BYTES));
      at = passFields(chunk, tag);
      this.position += at;
    }
  }

  /** Bytes of the content of a field that is not a varint. */
  length(wireType: number, fieldStart: number): number {
    let length = wireType === WIRE_64_BIT ? 8 : 4;
    if (wireType === WIRE_LENGTH_DELIMITED) length = this.varint();
    else if (wireType !== WIRE_64_BIT && wireType !== WIRE_32_BIT) {
      throw new ProtobufError(`wire type ${wireType} at byte ${fieldStart}`);
    }
    // A negative length would lead back to bytes already read, forever.
    if (length < 0 || this.position + length > this.#end)
      throw new ProtobufError(`field at byte ${fieldStart} ends beyond its message`);
    return length;
  }
}

export function readText(source: ByteSource, field: Field): string {
  return decoder.decode(source.bytes(field.start, field.end));
}

/** A byte order mark is an ordinary part of a name. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The number of bytes at the start of a chunk that are complete, small fields with the same tag. */
function passFields(chunk: Uint8Array, tag: number): number {
  const wireType = tag % 8;
  const last = chunk.length - 1 - LONGEST_VARINT;
  let at = 0;
  while (at <= last && chunk[at] === tag) {
    let next = at + 1;
    if (wireType === WIRE_VARINT) {
      while (next <= at + LONGEST_VARINT && (chunk[next] ?? 0) >= 0x80) next += 1;
      next += 1;
      if (next > at + 1 + LONGEST_VARINT) return at;
    } else if (wireType === WIRE_32_BIT) next += 4;
    else if (wireType === WIRE_LENGTH_DELIMITED && (chunk[next] ?? 0) < 0x80) next += 1 + (chunk[next] ?? 0);
    else return at;
    if (next > chunk.length) return at;
    at = next;
  }
  return at;
}

/** The varints of a packed repeated field, or the single one of an unpacked entry. */
export function readVarints(source: ByteSource, field: Field): number[] {
  if (field.wireType === WIRE_VARINT) return [field.value];
  const cursor = new Cursor(source, field.start, field.end);
  const values: number[] = [];
  while (cursor.position < field.end) values.push(cursor.varint());
  return values;
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    length: bytes.length,
    byteAt: (at) => bytes[at] ?? 0,
    bytes: (start, end) => bytes.subarray(start, end),
    copy: (start, end, target, at) => target.set(bytes.subarray(start, end), at),
  };
}

/** Reads a large file through a small window: walking a graph touches little of it besides its field headers. */
export function withFileSource<R>(path: string, use: (source: ByteSource) => R): R {
  const descriptor = openSync(path, 'r');
  try {
    return use(fileSource(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

/** The same for a use that takes turns with others. */
export async function withOpenFile<R>(path: string, use: (source: ByteSource) => Promise<R>): Promise<R> {
  const descriptor = openSync(path, 'r');
  try {
    return await use(fileSource(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

function fileSource(descriptor: number): ByteSource {
  const { size } = fstatSync(descriptor);
  if (size <= WHOLE_BYTES) return bytesSource(readFileSync(descriptor));
  const window = Buffer.alloc(WINDOW_BYTES);
  let windowStart = 0;
  let windowEnd = 0;
  const moveWindow = (start: number): void => {
    windowStart = start;
    windowEnd = start + readSync(descriptor, window, 0, WINDOW_BYTES, start);
  };
  return {
    length: size,
    byteAt: (at) => {
      if (at < windowStart || at >= windowEnd) moveWindow(at);
      return window[at - windowStart] ?? 0;
    },
    bytes: (start, end) => {
      const content = Buffer.alloc(Math.min(end, size) - start);
      if (start < windowStart || end > windowEnd) moveWindow(start);
      if (end <= windowEnd) window.copy(content, 0, start - windowStart, end - windowStart);
      else readSync(descriptor, content, 0, content.length, start);
      return content;
    },
    copy: (start, end, target, at) => {
      for (let from = start; from < end; ) {
        const read = readSync(
          descriptor,
          target,
          at + from - start,
          Math.min(end - from, COPIED_AT_ONCE),
          from,
        );
        if (read === 0) throw new ProtobufError(`the file ends at byte ${from}`);
        from += read;
      }
    },
  };
}

/** The bytes of a field, including its tag and length. */
export function whole(message: Uint8Array, field: Field): Uint8Array {
  return message.subarray(field.fieldStart, field.end);
}

/** The bytes of a varint; negative numbers are written as int64 in two's complement. */
export function encodeVarint(value: number): Uint8Array {
  const known = ONE_BYTE[value];
  if (known) return known;
  if (value < 0) return encodeNegative(value);
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** Shared arrays for small varints, which are mostly tags and lengths of small messages. Nobody writes into them. */
const ONE_BYTE: readonly Uint8Array[] = Array.from({ length: 0x80 }, (_, value) => Uint8Array.of(value));

function encodeNegative(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}

/** Tag and length of a length-delimited field. */
export function encodeHead(number: number, length: number): Uint8Array {
  return Buffer.concat([encodeVarint(number * 8 + WIRE_LENGTH_DELIMITED), encodeVarint(length)]);
}

/** A length-delimited field: tag, length, content. */
export function encodeField(number: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([
    encodeVarint(number * 8 + WIRE_LENGTH_DELIMITED),
    encodeVarint(content.length),
    content,
  ]);
}

/** A varint field. */
export function encodeVarintField(number: number, value: number): Uint8Array {
  return Buffer.concat([encodeVarint(number * 8 + WIRE_VARINT), encodeVarint(value)]);
}
