import { crc32 } from 'node:zlib';

/** Blocks that one code of 15 bits leaves unchanged. */
const LONGEST_RUN = 32_767;

/** A grey progressive JPEG without detail: one scan for its colour, and a number of scans that change nothing. */
export function jpegOfScans(width: number, height: number, scans: number): Buffer {
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  const runs = Math.ceil(blocks / LONGEST_RUN);
  // Bits of 0 give each block the colour of the one before it. A run is the code 0 and fourteen bits.
  const colours = Buffer.alloc(Math.ceil(blocks / 8));
  const nothing = Buffer.alloc(Math.ceil((15 * runs) / 8));
  for (let bit = 0; bit < nothing.length * 8; bit++) {
    if (bit >= 15 * runs || bit % 15 !== 0)
      nothing[bit >> 3] = (nothing[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  }
  const stuffed = Buffer.from(nothing.toString('latin1').replaceAll('\xff', '\xff\0'), 'latin1');
  const oneCode = [1, ...new Array<number>(15).fill(0)];
  const scan = Buffer.concat([segment(0xda, [1, 1, 0, 1, 63, 0]), stuffed]);
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    segment(0xdb, [0, ...new Array<number>(64).fill(1)]),
    segment(0xc2, [8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]),
    segment(0xc4, [0x00, ...oneCode, 0x00]),
    segment(0xc4, [0x10, ...oneCode, 0xe0]),
    segment(0xda, [1, 1, 0, 0, 0, 0]),
    colours,
    ...new Array<Buffer>(scans - 1).fill(scan),
    Buffer.of(0xff, 0xd9),
  ]);
}

/** A segment of a JPEG. Source: ITU-T T.81, annex B. */
function segment(marker: number, content: readonly number[]): Buffer {
  const length = content.length + 2;
  return Buffer.of(0xff, marker, length >> 8, length & 255, ...content);
}

export interface StripOptions {
  /** The content of each strip: one grey pixel as it is, or a JPEG of one. */
  readonly strip: Uint8Array;
  readonly strips: number;
  readonly isBig?: boolean;
  readonly isBigEndian?: boolean;
}

const NUMBER_TYPES = { 2: 3, 4: 4, 8: 16 } as const;

/** A TIFF of one column whose strips are all in the same place. Source: TIFF 6.0, section 2; BigTIFF. */
export function tiffOfStrips({ strip, strips, isBig = false, isBigEndian = false }: StripOptions): Buffer {
  const wide = isBig ? 8 : 4;
  const number = (value: number, bytes: 2 | 4 | 8) => {
    const written = Buffer.alloc(8);
    if (isBigEndian) written.writeBigUInt64BE(BigInt(value));
    else written.writeBigUInt64LE(BigInt(value));
    return isBigEndian ? written.subarray(8 - bytes) : written.subarray(0, bytes);
  };
  const start = 16;
  const values = Buffer.concat([strip, Buffer.alloc(strip.length % 2)]);
  const offsetsAt = start + values.length;
  const lengthsAt = offsetsAt + strips * wide;
  const entry = (tag: number, count: number, value: number) =>
    Buffer.concat([number(tag, 2), number(NUMBER_TYPES[wide], 2), number(count, wide), number(value, wide)]);
  const entries = [
    entry(256, 1, 1),
    entry(257, 1, strips),
    entry(258, 1, 8),
    entry(259, 1, strip.length === 1 ? 1 : 7),
    entry(262, 1, 1),
    entry(273, strips, strips === 1 ? start : offsetsAt),
    entry(277, 1, 1),
    entry(278, 1, 1),
    entry(279, strips, strips === 1 ? strip.length : lengthsAt),
  ];
  const header = isBig
    ? [number(43, 2), number(8, 2), number(0, 2), number(lengthsAt + strips * wide, 8)]
    : [number(42, 2), number(lengthsAt + strips * wide, 4), Buffer.alloc(8)];
  return Buffer.concat([
    Buffer.from(isBigEndian ? 'MM' : 'II'),
    ...header,
    values,
    ...new Array<Buffer>(strips).fill(number(start, wide)),
    ...new Array<Buffer>(strips).fill(number(strip.length, wide)),
    number(entries.length, isBig ? 8 : 2),
    ...entries,
    number(0, wide),
  ]);
}

/** A chunk of a PNG. Source: PNG, third edition, section 5. */
export function pngChunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length);
  frame.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([frame.subarray(0, 4), named, frame.subarray(4)]);
}

const AFTER_PNG_HEADER = 8 + 25;

/** The same PNG with more chunks after its header. */
export function withPngChunks(png: Buffer, chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([png.subarray(0, AFTER_PNG_HEADER), ...chunks, png.subarray(AFTER_PNG_HEADER)]);
}

/** A chunk of a WebP. Source: RFC 9649, section 2.3. */
export function webpChunk(type: string, data: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}
