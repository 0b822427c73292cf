import { countFrames } from './gif.ts';
import { readJpegFrame } from './jpeg-frame.ts';
import { readTiffPieces } from './tiff-directory.ts';

/** Most bytes that a pixel may take and still count as one: 50 megapixels are 325 MB. */
const USUAL_BYTES = 6.5;

/**
 * How many pixels a pixel of an image file counts for, by memory or by time. In most files a pixel takes up to 5 bytes
 * during decoding, including the finished picture, because the picture is made in strips. Other decoders hold the whole
 * picture in memory, once or several times. The figures are those of sharp 0.35 for the worst file of each kind.
 *
 * @param type media type of the file
 */
export function pixelPrice(type: string, file: Uint8Array): number {
  return Math.max(1, bytesPerPixel(type, file) / USUAL_BYTES);
}

/**
 * How many pixels an image file counts for at least. A strip or a tile of TIFF and a frame of GIF take two microseconds,
 * and a segment of JPEG is kept until the end, however small they are. A JPEG or a WebP in a TIFF takes up to seven
 * times as long as another strip.
 *
 * @param type media type of the file
 */
export function leastPixels(type: string, file: Uint8Array): number {
  switch (type) {
    case 'image/tiff': {
      const { count, arePictures } = readTiffPieces(file);
      return pixelsOf(count, arePictures ? PICTURE_PIXELS : PIECE_PIXELS);
    }
    case 'image/gif':
      return pixelsOf(countFrames(file), PIECE_PIXELS);
    case 'image/jpeg':
      return pixelsOf((readJpegFrame(file)?.segments ?? 0) - USUAL_SEGMENTS, PIECE_PIXELS);
    default:
      return 0;
  }
}

const PIECE_PIXELS = 200;
const PICTURE_PIXELS = 1400;

/** The first piece is there in each file. */
function pixelsOf(pieces: number, each: number): number {
  return Math.max(0, pieces - 1) * each;
}

/** The largest profiles and descriptions take a few hundred segments of 64 KB each. */
const USUAL_SEGMENTS = 1000;

/**
 * Programs write JPEGs in up to about 12 scans. This many extra scans take as long as a whole picture without extra
 * scans.
 */
export const USUAL_SCANS = 16;

function bytesPerPixel(type: string, file: Uint8Array): number {
  switch (type) {
    // 19 with 8 bits a channel.
    case 'image/avif':
      return 25.8;
    // Decoded with transparency, copied to the picture, and copied again as rows.
    case 'image/webp':
      return 12.5;
    case 'image/gif':
      return 9;
    // If the picture is a single JPEG; 5 otherwise.
    case 'image/tiff':
      return 9.1;
    case 'image/png':
      return pngBytes(file);
    case 'image/jpeg':
      return jpegBytes(file);
    default:
      return USUAL_BYTES;
  }
}

const PNG_DEPTH = 24;
const PNG_INTERLACE = 28;

/** Interlaced rows come in seven passes. Source: PNG, third edition, section 11.2.1. */
function pngBytes(file: Uint8Array): number {
  if (file[PNG_INTERLACE] === 0) return 5;
  return file[PNG_DEPTH] === 16 ? 13.5 : 8.1;
}

/** Four inks in several scans. */
const JPEG_MOST_BYTES = 13;

/**
 * The coefficients of a picture in several scans are kept until the last one, in 2 bytes each. The decoder goes over
 * all of them in each scan, and a scan can be a few bytes long: with many scans the time counts.
 */
function jpegBytes(file: Uint8Array): number {
  const frame = readJpegFrame(file);
  // The decoder can read files that this reader cannot.
  if (!frame) return JPEG_MOST_BYTES;
  const { components, samplesPerPixel, isInScans, scans } = frame;
  const rest = components === 4 ? 5 : 3.5;
  const bytes = isInScans ? 2 * samplesPerPixel + rest : rest;
  return Math.max(bytes, (USUAL_BYTES * scans) / USUAL_SCANS);
}
