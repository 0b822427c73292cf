import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Random access to bytes, so that a graph can be read without reading its weights. */
export interface ByteSource {
  readonly length: number;
  /** One byte; `at` is below `length`. */
  byteAt(at: number): number;
  /** The bytes from `start` to `end`; fewer where the source ends before. */
  bytes(start: number, end: number): Uint8Array;
}

/** The bytes are not what the wire format allows, which is how damaged and foreign files show. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** One field of a message: a number for the varint wire type, a range of the source for length-delimited ones. */
export interface Field {
  readonly number: number;
  readonly wireType: number;
  /** Value of a varint field, 0 for the others. int64 beyond 2^53 loses digits: no field of ONNX we read has any. */
  readonly value: number;
  /** Where the field's tag begins. */
  readonly fieldStart: number;
  /** Where its content begins and ends. */
  readonly start: number;
  readonly end: number;
}

const WIRE_VARINT = 0;
const WIRE_64_BIT = 1;
const WIRE_LENGTH_DELIMITED = 2;
const WIRE_32_BIT = 5;
const LONGEST_VARINT = 10;
const WINDOW_BYTES = 16 * 1024;

/**
 * The fields of a message, in order, without looking into them.
 * Source: the protocol buffers encoding guide (varints, tags, length-delimited records).
 *
 * @throws ProtobufError when the bytes cannot be a message
 */
export function* readFields(source: ByteSource, start = 0, end = source.length): Generator<Field> {
  let position = start;
  while (position < end) {
    const fieldStart = position;
    const tag = readVarint(source, position, end);
    const number = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    if (number < 1) throw new ProtobufError(`field number ${number} at byte ${fieldStart}`);
    position = tag.end;
    let value = 0;
    if (wireType === WIRE_VARINT) {
      const varint = readVarint(source, position, end);
      value = varint.value;
      yield { number, wireType, value, fieldStart, start: position, end: varint.end };
      position = varint.end;
      continue;
    }
    let length = wireType === WIRE_64_BIT ? 8 : 4;
    if (wireType === WIRE_LENGTH_DELIMITED) {
      const prefix = readVarint(source, position, end);
      length = prefix.value;
      position = prefix.end;
    } else if (wireType !== WIRE_64_BIT && wireType !== WIRE_32_BIT) {
      throw new ProtobufError(`wire type ${wireType} at byte ${fieldStart}`);
    }
    // A negative length would lead back to bytes already read, for ever.
    if (length < 0 || position + length > end)
      throw new ProtobufError(`field at byte ${fieldStart} ends behind its message`);
    yield { number, wireType, value, fieldStart, start: position, end: position + length };
    position += length;
  }
}

export function readText(source: ByteSource, field: Field): string {
  return new TextDecoder().decode(source.bytes(field.start, field.end));
}

/** The varints of a packed repeated field, or the single one of an unpacked entry. */
export function readVarints(source: ByteSource, field: Field): number[] {
  if (field.wireType === WIRE_VARINT) return [field.value];
  const values: number[] = [];
  for (let position = field.start; position < field.end; ) {
    const varint = readVarint(source, position, field.end);
    values.push(varint.value);
    position = varint.end;
  }
  return values;
}

function readVarint(source: ByteSource, start: number, limit: number): { value: number; end: number } {
  let value = 0;
  let complement = 0;
  const longest = Math.min(limit - start, LONGEST_VARINT);
  for (let i = 0; i < longest; i++) {
    const byte = source.byteAt(start + i);
    // Multiplication, as shifts stop at 32 bits. Ten-byte varints are negative int64 in two's complement: small ones
    // are exact only by way of the complement.
    if (i < 9) {
      value += (byte & 0x7f) * 2 ** (7 * i);
      complement += (~byte & 0x7f) * 2 ** (7 * i);
    }
    if (byte < 0x80) return { value: i === 9 ? -complement - 1 : value, end: start + i + 1 };
  }
  throw new ProtobufError(`varint at byte ${start} has no end`);
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    length: bytes.length,
    byteAt: (at) => bytes[at] ?? 0,
    bytes: (start, end) => bytes.subarray(start, end),
  };
}

/** Reads a file through a small window: walking a graph touches little of it besides its field headers. */
export function withFileSource<R>(path: string, use: (source: ByteSource) => R): R {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const window = Buffer.alloc(WINDOW_BYTES);
    let windowStart = 0;
    let windowEnd = 0;
    const moveWindow = (start: number): void => {
      windowStart = start;
      windowEnd = start + readSync(descriptor, window, 0, WINDOW_BYTES, start);
    };
    return use({
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
    });
  } finally {
    closeSync(descriptor);
  }
}

/** A field as it stands in its message, tag and length included. */
export function whole(message: Uint8Array, field: Field): Uint8Array {
  return message.subarray(field.fieldStart, field.end);
}

/** The bytes of a varint. */
export function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
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
