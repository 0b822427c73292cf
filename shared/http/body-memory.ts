import { SMALL_BYTES } from './body-room.ts';

/** Says where the JSON of a body ends and the bytes of tensors begin. Source: Triton's binary tensor data extension. */
export const JSON_LENGTH_HEADER = 'inference-header-content-length';

/** The largest number type has this many bytes, and must begin at a multiple of it. */
const ALIGNMENT = 8;

/**
 * Memory for a body that a host puts together, not cleared. Tensors that follow JSON begin where numbers of any size
 * may begin, so they are used in place: copying them would take most of the time of decoding.
 */
export function allocateBody(length: number, headers: Headers): Buffer {
  const jsonLength = Number(headers.get(JSON_LENGTH_HEADER) ?? 0);
  const past = Number.isSafeInteger(jsonLength) && jsonLength > 0 ? jsonLength % ALIGNMENT : 0;
  const start = (ALIGNMENT - past) % ALIGNMENT;
  return Buffer.allocUnsafeSlow(start + length).subarray(start);
}

/** A body that comes in pieces. */
export interface BodyParts {
  /** Whether the next piece makes the body larger than one that needs no room. */
  grows(piece: Uint8Array): boolean;
  /** Takes the next piece, and says whether there was room for all of it. What is beyond the limit is cut off. */
  add(piece: Uint8Array): boolean;
  /** All pieces in one. */
  join(): Uint8Array;
}

/**
 * Assembles a body as its pieces arrive. A large one is written to its final place at once: if its pieces were kept
 * until the last one has come, it would be in memory twice. The system takes the pages of such a block only when they
 * are written to.
 *
 * @param mostBytes bytes there is room for
 */
export function gatherBody(headers: Headers, mostBytes: number): BodyParts {
  /** The whole body, as long as it has come in one piece. */
  let only: Uint8Array = new Uint8Array(0);
  let block: Buffer | undefined;
  let length = 0;
  const isLarge = () => (block?.length ?? 0) > SMALL_BYTES;
  /** A client may send its body byte by byte, so pieces are not kept separately. */
  const makeRoom = (needed: number) => {
    if (block && block.length >= needed) return block;
    const size = needed > SMALL_BYTES ? mostBytes : Math.min(SMALL_BYTES, Math.max(2 * needed, FIRST_BYTES));
    const target = allocateBody(Math.max(size, needed), headers);
    target.set(block ? block.subarray(0, length) : only);
    block = target;
    return target;
  };
  return {
    grows: (piece) => !isLarge() && length + piece.length > SMALL_BYTES,
    add: (piece) => {
      const fitting = piece.subarray(0, mostBytes - length);
      const needed = length + fitting.length;
      if (length === 0 && needed <= SMALL_BYTES) only = fitting;
      else makeRoom(needed).set(fitting, length);
      length = needed;
      return fitting.length === piece.length;
    },
    join: () => block?.subarray(0, length) ?? only,
  };
}

/** Room for a small body that comes in several pieces. */
const FIRST_BYTES = 16_384;
