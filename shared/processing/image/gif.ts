import type { PixelRaster } from './raster.ts';

/** What the first frame of a GIF says beside its pixels. */
interface FirstFrame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** The number of the colour that is not seen. */
  readonly transparent: number | undefined;
  /** Red, green and blue of each colour. */
  readonly palette: Uint8Array;
}

/**
 * Gives pixels of a GIF's first frame that are not seen the colour they have in the file, and those beside a small frame
 * the colour that Pillow fills them with; the decoder leaves both black.
 */
export function restoreColours(image: PixelRaster, file: Uint8Array): PixelRaster {
  const frame = readFirstFrame(file);
  if (!frame) return image;
  const { width, height, channels } = image;
  const { left, top, right, bottom, transparent, palette } = frame;
  const fills = left === 0 && top === 0 && right >= width && bottom >= height;
  if (fills && channels === 3) return image;
  const number = transparent ?? 0;
  const colour = [0, 1, 2].map((c) => palette[number * 3 + c] ?? number);
  const alpha = transparent === undefined ? 255 : 0;
  const data = Uint8Array.from(image.data);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += channels) {
      const inside = x >= left && x < right && y >= top && y < bottom;
      if (inside && (channels === 3 || data[at + 3] !== 0)) continue;
      data.set(colour, at);
      if (channels === 4) data[at + 3] = alpha;
    }
  }
  return { ...image, data };
}

const EXTENSION = 0x21;
const GRAPHIC_CONTROL = 0xf9;
const IMAGE = 0x2c;

/** Source: GIF89a specification, sections 18 to 23. Undefined where the file ends before its first frame. */
function readFirstFrame(file: Uint8Array): FirstFrame | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const globalColours = paletteBytes(file[10] ?? 0);
  let transparent: number | undefined;
  let at = 13 + globalColours;
  while (file[at] === EXTENSION) {
    // Length 4, flags, two bytes of delay, number of the transparent colour.
    if (file[at + 1] === GRAPHIC_CONTROL && (file[at + 3] ?? 0) & 1) transparent = file[at + 6];
    at = skipBlocks(file, at + 2);
  }
  if (file[at] !== IMAGE || at + 10 > file.length) return undefined;
  const [left, top] = [view.getUint16(at + 1, true), view.getUint16(at + 3, true)];
  const localColours = paletteBytes(file[at + 9] ?? 0);
  const palette =
    localColours > 0 ? file.subarray(at + 10, at + 10 + localColours) : file.subarray(13, 13 + globalColours);
  return {
    left,
    top,
    right: left + view.getUint16(at + 5, true),
    bottom: top + view.getUint16(at + 7, true),
    transparent,
    palette,
  };
}

/** Length of the colour table that the flags announce. */
function paletteBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** Where a chain of blocks ends: each begins with its length, the last is empty. */
function skipBlocks(file: Uint8Array, start: number): number {
  let at = start;
  while (at < file.length && file[at] !== 0) at += 1 + (file[at] ?? 0);
  return at + 1;
}
