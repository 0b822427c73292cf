/**
 * How many strips or tiles the first picture of a TIFF has, as its directory says: each is decoded by itself. 0 where
 * that is not found. Source: TIFF 6.0, section 2; BigTIFF, where numbers have 8 bytes.
 */
export function countTiffPieces(tiff: Uint8Array): number {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const isLittle = tiff[0] === LITTLE_ENDIAN;
  const isBig = tiff[isLittle ? 2 : 3] === BIG_TIFF;
  const number = (at: number) => (isBig ? view.getBigUint64(at, isLittle) : view.getUint32(at, isLittle));
  try {
    const directory = Number(number(isBig ? 8 : 4));
    const entries = isBig ? Number(number(directory)) : view.getUint16(directory, isLittle);
    let pieces = 0;
    let at = directory + (isBig ? 8 : 2);
    for (let entry = 0; entry < entries; entry++, at += isBig ? 20 : 12) {
      const tag = view.getUint16(at, isLittle);
      if (tag === STRIP_OFFSETS || tag === TILE_OFFSETS) pieces = Math.max(pieces, Number(number(at + 4)));
    }
    return pieces;
  } catch (error) {
    // Beyond the end of the file.
    if (error instanceof RangeError) return 0;
    throw error;
  }
}

/** The letter "I"; "M" for the other order. */
const LITTLE_ENDIAN = 0x49;
const BIG_TIFF = 43;
const STRIP_OFFSETS = 273;
const TILE_OFFSETS = 324;
