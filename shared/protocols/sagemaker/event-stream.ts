import { crc32 } from 'node:zlib';

export const EVENT_STREAM_TYPE = 'application/vnd.amazon.eventstream';

/** Most bytes of one part: SDKs refuse messages of more than 16 or 24 MiB. */
const MOST_PART_BYTES = 8 * 1024 * 1024;

/** Total length, length of the headers, and the checksum of both. */
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
/** The type of a header that is a text. */
const STRING = 7;

/**
 * A complete answer as the parts of a stream: one part, unless it is very long. Source: the event stream encoding of
 * AWS (Smithy, "Amazon Event Stream Specification"); `ResponseStream` in the service model of sagemaker-runtime.
 */
export function encodePayloadParts(bytes: Uint8Array): Uint8Array {
  const count = Math.max(1, Math.ceil(bytes.length / MOST_PART_BYTES));
  const parts = Array.from({ length: count }, (_, index) => {
    const start = index * MOST_PART_BYTES;
    return encodeMessage(
      {
        ':event-type': 'PayloadPart',
        ':content-type': 'application/octet-stream',
        ':message-type': 'event',
      },
      bytes.subarray(start, start + MOST_PART_BYTES),
    );
  });
  return Buffer.concat(parts);
}

/** An error of the model as the event that ends a stream. */
export function encodeModelStreamError(message: string, errorCode: string): Uint8Array {
  return encodeMessage(
    {
      ':exception-type': 'ModelStreamError',
      ':content-type': 'application/json',
      ':message-type': 'exception',
    },
    Buffer.from(JSON.stringify({ Message: message, ErrorCode: errorCode })),
  );
}

function encodeMessage(headers: Readonly<Record<string, string>>, payload: Uint8Array): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => encodeHeader(name, value)));
  const message = Buffer.alloc(PRELUDE_BYTES + head.length + payload.length + CHECKSUM_BYTES);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(head.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  message.set(head, PRELUDE_BYTES);
  message.set(payload, PRELUDE_BYTES + head.length);
  const end = message.length - CHECKSUM_BYTES;
  message.writeUInt32BE(crc32(message.subarray(0, end)), end);
  return message;
}

function encodeHeader(name: string, value: string): Buffer {
  const text = Buffer.from(value);
  const head = Buffer.alloc(4 + name.length);
  head.writeUInt8(name.length, 0);
  head.write(name, 1, 'latin1');
  head.writeUInt8(STRING, 1 + name.length);
  head.writeUInt16BE(text.length, 2 + name.length);
  return Buffer.concat([head, text]);
}
