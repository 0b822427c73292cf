import { type ByteSource, encodeHead } from './protobuf.ts';
import type { Message } from './walk.ts';

/** Bytes that stand in the place of others; where `start` is `end` they come in between. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  /** The message whose fields are replaced. */
  readonly inside: Message;
}

/**
 * A model with some of its bytes replaced. The lengths of all messages around them are written anew, all else stays byte
 * for byte as it is. The result is the only copy that is made.
 *
 * @param edits none within another one
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
  // By where their content starts, as each walk through a file makes messages of its own.
  const growth = new Map<number, number>();
  const grow = ({ field: { start } }: Message, bytes: number) =>
    growth.set(start, (growth.get(start) ?? 0) + bytes);
  for (const { inside, start, end, bytes } of edits) grow(inside, bytes.length - (end - start));
  // The innermost first, which begin last.
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
