/** The strips or tiles of a picture. Each is decoded separately. */
export interface TiffPieces {
  readonly count: number;
  /** Whether each is a picture with a head of its own, as a JPEG is. */
  readonly arePictures: boolean;
}

/** The pieces of the first picture of a TIFF, as its directory says; none if that is not found. */
export function readTiffPieces(tiff: Uint8Array): TiffPieces {
  return readFirstDirectory(tiff)?.pieces ?? { count: 0, arePictures: false };
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
function readFirstDirectory(tiff: Uint8Array): { pieces: TiffPieces; next: Range } | undefined {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const isLittle = tiff[0] === LITTLE_ENDIAN;
  const isBig = tiff[isLittle ? 2 : 3] === BIG_TIFF;
  const wide = isBig ? 8 : 4;
  const number = (at: number) =>
    isBig ? Number(view.getBigUint64(at, isLittle)) : view.getUint32(at, isLittle);
  /** Where the last two bytes of an entry's value are, or the first two: a short number has no more. */
  const shortAt = (entry: number) =>
    entry + (isBig ? 12 : 8) + (isLittle || view.getUint16(entry + 2, isLittle) === SHORT ? 0 : wide - 2);
  try {
    const directory = number(wide);
    const entries = isBig ? number(directory) : view.getUint16(directory, isLittle);
    let count = 0;
    let arePictures = false;
    let at = directory + (isBig ? 8 : 2);
    for (let entry = 0; entry < entries; entry++, at += isBig ? 20 : 12) {
      const tag = view.getUint16(at, isLittle);
      if (tag === STRIP_OFFSETS || tag === TILE_OFFSETS) count = Math.max(count, number(at + 4));
      if (tag === COMPRESSION) arePictures = !PLAIN_COMPRESSIONS.has(view.getUint16(shortAt(at), isLittle));
    }
    return { pieces: { count, arePictures }, next: { start: at, end: at + wide } };
  } catch (error) {
    // Beyond the end of the file.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The letter "I"; "M" for the other order. */
const LITTLE_ENDIAN = 0x49;
const BIG_TIFF = 43;
/** The type of whole numbers of two bytes. */
const SHORT = 3;
const COMPRESSION = 259;
/** None, three of fax machines, LZW, two of deflate, and PackBits. Source: libtiff's tiff.h. */
const PLAIN_COMPRESSIONS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 8, 32946, 32773]);
const STRIP_OFFSETS = 273;
const TILE_OFFSETS = 324;
