import { bytesSource, type Field, readFields, readText, whole } from '../../shared/onnx/protobuf.ts';

/**
 * A message with some of its fields rewritten.
 *
 * @param message undefined for the whole of the bytes
 * @param rewrite gives the bytes of a field; undefined leaves it as it is
 */
export function mapFields(
  bytes: Uint8Array,
  message: Field | undefined,
  rewrite: (field: Field) => Uint8Array | undefined,
): Uint8Array {
  const fields = readFields(bytesSource(bytes), message?.start, message?.end);
  return Buffer.concat(Array.from(fields, (field) => rewrite(field) ?? whole(bytes, field)));
}

/** The text of the first field of a number in a message; '' without such a field, as protobuf defines it. */
export function textOf(bytes: Uint8Array, message: Field, number: number): string {
  const source = bytesSource(bytes);
  for (const member of readFields(source, message.start, message.end)) {
    if (member.number === number) return readText(source, member);
  }
  return '';
}
