/**
 * How many strips or tiles the first picture of a TIFF has, as its directory says: each is decoded separately. 0 if
 * that is not found.
 */
export function countTiffPieces(tiff: Uint8Array): number {
  return readFirstDirectory(tiff)?.pieces ?? 0;
}

/** The offset at which the place of the second directory is stored; undefined if the file ends before that. */
export function findNextDirectory(tiff: Uint8Array): Range | undefined {
  return readFirstDirectory(tiff)?.next;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Source: TIFF 6.0, section 2; BigTIFF, where numbers have 8 bytes. */
function readFirstDirectory(tiff: Uint8Array): { pieces: number; next: Range } | undefined {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const isLittle = tiff[0] === LITTLE_ENDIAN;
  const isBig = tiff[isLittle ? 2 : 3] === BIG_TIFF;
  const wide = isBig ? 8 : 4;
  const number = (at: number) =>
    isBig ? Number(view.getBigUint64(at, isLittle)) : view.getUint32(at, isLittle);
  try {
    const directory = number(wide);
    const entries = isBig ? number(directory) : view.getUint16(directory, isLittle);
    let pieces = 0;
    let at = directory + (isBig ? 8 : 2);
    for (let entry = 0; entry < entries; entry++, at += isBig ? 20 : 12) {
      const tag = view.getUint16(at, isLittle);
      if (tag === STRIP_OFFSETS || tag === TILE_OFFSETS) pieces = Math.max(pieces, number(at + 4));
    }
    return { pieces, next: { start: at, end: at + wide } };
  } catch (error) {
    // Beyond the end of the file.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The letter "I"; "M" for the other order. */
const LITTLE_ENDIAN = 0x49;
const BIG_TIFF = 43;
const STRIP_OFFSETS = 273;
const TILE_OFFSETS = 324;
