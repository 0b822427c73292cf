import { SMALL_BYTES } from './body-room.ts';

/** Tells where the JSON of a body ends and the bytes of tensors begin. Source: Triton's binary tensor data extension. */
export const JSON_LENGTH_HEADER = 'inference-header-content-length';

/** The largest number takes as many bytes, and must begin at a multiple of them. */
const ALIGNMENT = 8;

/**
 * Memory for a body that a host puts together, not cleared. Tensors behind JSON begin in it where numbers of any size
 * may, so that they are used in place: their copy would take most of the time a request is decoded in.
 */
export function allocateBody(length: number, headers: Headers): Buffer {
  const jsonLength = Number(headers.get(JSON_LENGTH_HEADER) ?? 0);
  const past = Number.isSafeInteger(jsonLength) && jsonLength > 0 ? jsonLength % ALIGNMENT : 0;
  const start = (ALIGNMENT - past) % ALIGNMENT;
  return Buffer.allocUnsafeSlow(start + length).subarray(start);
}

/** A body that comes in pieces. */
export interface BodyParts {
  /** Whether with the next piece the body becomes larger than one that needs no room. */
  grows(piece: Uint8Array): boolean;
  /** Takes the next piece, and says whether there was room for all of it. What is beyond the limit is cut off. */
  add(piece: Uint8Array): boolean;
  /** All pieces in one. */
  join(): Uint8Array;
}

/**
 * Puts a body together as its pieces come. A large one is written at once to where it stays: kept in pieces until the
 * last has come, it would be in memory twice. Pages of such a block are taken as they are written to.
 *
 * @param mostBytes bytes there is room for
 */
export function gatherBody(headers: Headers, mostBytes: number): BodyParts {
  let pieces: Uint8Array[] = [];
  let block: Buffer | undefined;
  let length = 0;
  const place = (size: number) => {
    const target = allocateBody(size, headers);
    let position = 0;
    for (const piece of pieces) {
      target.set(piece, position);
      position += piece.length;
    }
    pieces = [];
    return target;
  };
  return {
    grows: (piece) => !block && length + piece.length > SMALL_BYTES,
    add: (piece) => {
      const fitting = piece.subarray(0, mostBytes - length);
      if (length + fitting.length > SMALL_BYTES) block ??= place(mostBytes);
      if (block) block.set(fitting, length);
      else pieces.push(fitting);
      length += fitting.length;
      return fitting.length === piece.length;
    },
    join: () => {
      if (block) return block.subarray(0, length);
      const [only] = pieces;
      return only && pieces.length === 1 ? only : place(length);
    },
  };
}
