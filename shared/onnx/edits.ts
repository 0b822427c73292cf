import { type ByteSource, encodeHead } from './protobuf.ts';
import type { Message } from './walk.ts';

/** Bytes that replace those from `start` to `end`; they are inserted if the two are equal. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  /** The message whose fields are replaced. */
  readonly inside: Message;
}

/**
 * A model with some of its bytes replaced. The lengths of all messages around them are updated; everything else stays
 * the same byte for byte. The result is the only copy.
 *
 * @param edits must not overlap
 */
export function applyEdits(source: ByteSource, edits: readonly Edit[]): Uint8Array {
  const pieces = [...edits, ...rewriteLengths(edits)].sort((a, b) => a.start - b.start || a.end - b.end);
  const grown = pieces.reduce((total, { start, end, bytes }) => total + bytes.length - (end - start), 0);
  const result = new Uint8Array(source.length + grown);
  let from = 0;
  let to = 0;
  for (const { start, end, bytes } of pieces) {
    source.copy(from, start, result, to);
    to += start - from;
    result.set(bytes, to);
    to += bytes.length;
    from = end;
  }
  source.copy(from, source.length, result, to);
  return result;
}

type Piece = Omit<Edit, 'inside'>;

/** The heads (tag and length) of the messages around edits. */
function rewriteLengths(edits: readonly Edit[]): Piece[] {
  // Keyed by the start of their content, as each walk through a file creates its own message objects.
  const growth = new Map<number, number>();
  const grow = ({ field: { start } }: Message, bytes: number) =>
    growth.set(start, (growth.get(start) ?? 0) + bytes);
  for (const { inside, start, end, bytes } of edits) grow(inside, bytes.length - (end - start));
  // Innermost first, that is, the latest start first.
  const innermostFirst = messagesAround(edits).sort((a, b) => b.field.start - a.field.start);
  return innermostFirst.flatMap((message) => {
    const { field, parent } = message;
    if (!parent) return [];
    const grown = growth.get(field.start) ?? 0;
    const bytes = encodeHead(field.number, field.end - field.start + grown);
    grow(parent, grown + bytes.length - (field.start - field.fieldStart));
    return [{ start: field.fieldStart, end: field.start, bytes }];
  });
}

function messagesAround(edits: readonly Edit[]): Message[] {
  const around = new Map<number, Message>();
  for (const { inside } of edits) {
    let message: Message | undefined = inside;
    while (message && !around.has(message.field.start)) {
      around.set(message.field.start, message);
      message = message.parent;
    }
  }
  return [...around.values()];
}
