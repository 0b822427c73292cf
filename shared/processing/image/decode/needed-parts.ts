import { findNextDirectory } from './tiff-directory.ts';

/**
 * The file with only those parts that its first picture needs. Decoders read all other parts too: they inflate texts,
 * keep each part that occurs twice, and look through all frames and pages. A file without other parts is returned
 * unchanged.
 *
 * @param type media type of the file
 */
export function neededParts(type: string, file: Uint8Array): Uint8Array {
  switch (type) {
    case 'image/png':
      return neededChunksOfPng(file);
    case 'image/webp':
      return neededChunksOfWebp(file);
    case 'image/tiff':
      return firstPageOfTiff(file);
    default:
      return file;
  }
}

/** A part of a file, with its name and its length. */
interface Chunk {
  /** Four letters as a number. */
  readonly name: number;
  readonly start: number;
  readonly end: number;
}

/** Chunks other than the pixel data: they say what the pixels mean and how the picture is turned. */
const PNG_CHUNKS = toNames(
  ...['IHDR', 'PLTE', 'tRNS', 'eXIf', 'IEND', 'gAMA', 'cHRM', 'sRGB', 'iCCP', 'cICP', 'sBIT'],
);
const [IHDR, IEND] = toNames('IHDR', 'IEND');
/** The first letter is lower case: a decoder that does not know the chunk may skip it. */
const ANCILLARY = 0x20_00_00_00;
const PNG_SIGNATURE_BYTES = 8;
/** Length, name and check sum. */
const PNG_FRAME_BYTES = 12;

/** Source: PNG, third edition, sections 5 and 11. */
function neededChunksOfPng(file: Uint8Array): Uint8Array {
  const isFirst = createFirstCheck(PNG_CHUNKS);
  const isCritical = (name: number) => (name & ANCILLARY) === 0;
  // Without the bytes before its header a broken file would become a valid one.
  const [first] = readPngChunks(file);
  if (first?.name !== IHDR) return file;
  return keepChunks(file, readPngChunks(file), (name) => isFirst(name) || isCritical(name));
}

function* readPngChunks(file: Uint8Array): Generator<Chunk> {
  const view = viewOf(file);
  let start = PNG_SIGNATURE_BYTES;
  while (start + 8 <= file.length) {
    const name = view.getUint32(start + 4);
    const end = start + PNG_FRAME_BYTES + view.getUint32(start);
    yield { name, start, end };
    if (name === IEND) return;
    start = end;
  }
}

/** The first frame of an animation. */
const WEBP_CHUNKS = toNames(...['VP8X', 'ICCP', 'ANIM', 'ANMF', 'ALPH', 'VP8 ', 'VP8L', 'EXIF', 'XMP ']);
const RIFF_LENGTH = 4;
const RIFF_HEADER_BYTES = 12;

/** Source: RFC 9649, section 2. */
function neededChunksOfWebp(whole: Uint8Array): Uint8Array {
  // Bytes after it do not belong to it.
  const end = 8 + viewOf(whole).getUint32(RIFF_LENGTH, true);
  const file = end >= RIFF_HEADER_BYTES + 8 && end < whole.length ? whole.subarray(0, end) : whole;
  const kept = keepChunks(file, readWebpChunks(file), createFirstCheck(WEBP_CHUNKS));
  if (kept === file) return file;
  const length = viewOf(file).getUint32(RIFF_LENGTH, true) - (file.length - kept.length);
  viewOf(kept).setUint32(RIFF_LENGTH, Math.max(0, length), true);
  return kept;
}

function* readWebpChunks(file: Uint8Array): Generator<Chunk> {
  const view = viewOf(file);
  let start = RIFF_HEADER_BYTES;
  while (start + 8 <= file.length) {
    const length = view.getUint32(start + 4, true);
    const end = start + 8 + length + (length % 2);
    yield { name: view.getUint32(start), start, end };
    start = end;
  }
}

function toNames(...names: readonly string[]): ReadonlySet<number> {
  return new Set(names.map((name) => Buffer.from(name, 'latin1').readUInt32BE()));
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function createFirstCheck(names: ReadonlySet<number>): (name: number) => boolean {
  const left = new Set(names);
  return (name) => left.delete(name);
}

/** The bytes before the first chunk are kept too. */
function keepChunks(
  file: Uint8Array,
  chunks: Iterable<Chunk>,
  isNeeded: (name: number) => boolean,
): Uint8Array {
  let kept: Uint8Array | undefined;
  let length = 0;
  /** Start of the bytes to keep that are not copied yet. */
  let from = 0;
  let last = file.length;
  const keep = (to: number) => {
    kept ??= Buffer.allocUnsafe(file.length);
    const stretch = file.subarray(from, to);
    kept.set(stretch, length);
    length += stretch.length;
  };
  for (const { name, start, end } of chunks) {
    last = end;
    if (isNeeded(name)) continue;
    keep(start);
    from = end;
  }
  if (!kept) return file;
  keep(last);
  return kept.subarray(0, length);
}

/** Pages form a chain, which is cut after the first page. */
function firstPageOfTiff(file: Uint8Array): Uint8Array {
  const next = findNextDirectory(file);
  if (!next || file.subarray(next.start, next.end).every((byte) => byte === 0)) return file;
  return Buffer.from(file).fill(0, next.start, next.end);
}
