import { crc32, deflateSync } from 'node:zlib';
import type { PixelRaster } from './raster.ts';

/** A black image, as an example and for trial runs. */
export function blackRaster(width: number, height: number): PixelRaster {
  return { width, height, channels: 3, layout: 'HWC', data: new Uint8Array(width * height * 3) };
}

/** The same as a PNG file. Source: PNG specification (W3C), sections 5 and 11. */
export function blackPng(width: number, height: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits per pixel, greyscale; compression, filter and interlace method 0.
  header.writeUInt8(8, 8);
  // Each row begins with a byte that names its filter.
  const rows = deflateSync(Buffer.alloc((width + 1) * height));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(crc32(typed), 4);
  return Buffer.concat([frame.subarray(0, 4), typed, frame.subarray(4)]);
}
