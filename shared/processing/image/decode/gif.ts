import type { Work } from '../../work.ts';
import type { PixelRaster } from '../raster.ts';

/** The first frame of a GIF, apart from its pixels. */
interface FirstFrame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** The number of the transparent colour. */
  readonly transparent: number | undefined;
  /** Red, green and blue of each colour. */
  readonly palette: Uint8Array;
}

/**
 * Gives the transparent pixels of a GIF's first frame the colour they have in the file, and the pixels around a small
 * frame the colour that Pillow fills them with. The decoder leaves both black. The pixels are changed in place.
 */
export function* restoreColours(image: PixelRaster, file: Uint8Array): Work<PixelRaster> {
  const frame = readFirstFrame(file);
  if (!frame) return image;
  const { width, height, channels } = image;
  const fills = frame.left === 0 && frame.top === 0 && frame.right >= width && frame.bottom >= height;
  if (fills && channels === 3) return image;
  yield {
    count: height,
    cost: width * channels,
    run: (from, to) => {
      for (let y = from; y < to; y++) restoreRow(image, frame, y);
    },
  };
  return image;
}

function restoreRow({ width, channels, data }: PixelRaster, frame: FirstFrame, y: number): void {
  const { left, top, right, bottom, transparent, palette } = frame;
  const number = transparent ?? 0;
  const [red, green, blue] = [0, 1, 2].map((c) => palette[number * 3 + c] ?? number);
  const alpha = transparent === undefined ? 255 : 0;
  const hasRow = y >= top && y < bottom;
  for (let x = 0, at = y * width * channels; x < width; x++, at += channels) {
    const inside = hasRow && x >= left && x < right;
    if (inside && (channels === 3 || data[at + 3] !== 0)) continue;
    data[at] = red ?? 0;
    data[at + 1] = green ?? 0;
    data[at + 2] = blue ?? 0;
    if (channels === 4) data[at + 3] = alpha;
  }
}

const EXTENSION = 0x21;
const GRAPHIC_CONTROL = 0xf9;
const IMAGE = 0x2c;
const HEADER_BYTES = 13;
const IMAGE_BYTES = 10;

/** Source: GIF89a specification, sections 18 to 23. Undefined if the file ends before its first frame. */
function readFirstFrame(file: Uint8Array): FirstFrame | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const globalColours = paletteBytes(file[10] ?? 0);
  let transparent: number | undefined;
  let at = HEADER_BYTES + globalColours;
  while (file[at] === EXTENSION) {
    // Length 4, flags, two bytes of delay, number of the transparent colour.
    if (file[at + 1] === GRAPHIC_CONTROL && (file[at + 3] ?? 0) & 1) transparent = file[at + 6];
    at = skipBlocks(file, at + 2);
  }
  if (file[at] !== IMAGE || at + IMAGE_BYTES > file.length) return undefined;
  const [left, top] = [view.getUint16(at + 1, true), view.getUint16(at + 3, true)];
  const localColours = paletteBytes(file[at + 9] ?? 0);
  const palette =
    localColours > 0
      ? file.subarray(at + IMAGE_BYTES, at + IMAGE_BYTES + localColours)
      : file.subarray(HEADER_BYTES, HEADER_BYTES + globalColours);
  return {
    left,
    top,
    right: left + view.getUint16(at + 5, true),
    bottom: top + view.getUint16(at + 7, true),
    transparent,
    palette,
  };
}

/** How many frames a GIF has, up to where it ends or is damaged. */
export function countFrames(file: Uint8Array): number {
  let frames = 0;
  let at = HEADER_BYTES + paletteBytes(file[10] ?? 0);
  for (;;) {
    if (file[at] === EXTENSION) {
      at = skipBlocks(file, at + 2);
    } else if (file[at] === IMAGE) {
      frames += 1;
      // The size of the codes comes before the data.
      at = skipBlocks(file, at + IMAGE_BYTES + paletteBytes(file[at + 9] ?? 0) + 1);
    } else {
      return frames;
    }
  }
}

/** Length of the colour table that the flags announce. */
function paletteBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** The end of a chain of blocks: each begins with its length, the last is empty. */
function skipBlocks(file: Uint8Array, start: number): number {
  let at = start;
  while (at < file.length && file[at] !== 0) at += 1 + (file[at] ?? 0);
  return at + 1;
}
