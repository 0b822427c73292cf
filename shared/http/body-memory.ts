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
 * are written to. The pieces of others are kept, so that those of many clients that disconnect are not copied: that
 * would take most of the time of receiving them.
 *
 * @param mostBytes bytes there is room for
 */
export function gatherBody(headers: Headers, mostBytes: number): BodyParts {
  const kept: Uint8Array[] = [];
  /** Small pieces are copied to the end of this one: a client may send its body byte by byte. */
  let last: Buffer | undefined;
  let lastLength = 0;
  let block: Buffer | undefined;
  let length = 0;
  const endLast = () => {
    if (last !== undefined) kept.push(last.subarray(0, lastLength));
    last = undefined;
    lastLength = 0;
  };
  const keep = (piece: Uint8Array) => {
    if (piece.length === 0) return;
    if (length === 0 || piece.length >= LEAST_KEPT_BYTES) {
      endLast();
      kept.push(piece);
      return;
    }
    if (last !== undefined && lastLength + piece.length > last.length) endLast();
    last ??= Buffer.allocUnsafeSlow(2 * LEAST_KEPT_BYTES);
    last.set(piece, lastLength);
    lastLength += piece.length;
  };
  /** Copies what is kept to the start of a block. */
  const joinIn = (target: Buffer) => {
    endLast();
    let at = 0;
    for (const piece of kept.splice(0)) {
      target.set(piece, at);
      at += piece.length;
    }
    return target;
  };
  return {
    grows: (piece) => block === undefined && length + piece.length > SMALL_BYTES,
    add: (piece) => {
      const fitting = piece.subarray(0, mostBytes - length);
      if (block === undefined && length + fitting.length > SMALL_BYTES) {
        block = joinIn(allocateBody(mostBytes, headers));
      }
      if (block === undefined) keep(fitting);
      else block.set(fitting, length);
      length += fitting.length;
      return fitting.length === piece.length;
    },
    join: () => {
      if (block !== undefined) return block.subarray(0, length);
      endLast();
      if (kept.length > 1) kept.push(joinIn(allocateBody(length, headers)));
      return kept[0] ?? new Uint8Array(0);
    },
  };
}

/** A piece of at least this size is kept as it is; the socket gives up to 64 KiB. */
const LEAST_KEPT_BYTES = 8_192;
