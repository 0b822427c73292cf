import type { Size } from '../raster.ts';

/** The only frame of a JPEG, as its header describes it. */
export interface JpegFrame extends Size {
  /** 1 for grey, 3 for colours, 4 for CMYK. */
  readonly components: number;
  /**
   * Samples per pixel of all components together: 3 for colours in full resolution, 1.5 if two components have a
   * quarter of it.
   */
  readonly samplesPerPixel: number;
  /**
   * Whether the picture comes in several scans, coarse ones first or one for each component; also true if that is not
   * found.
   */
  readonly isInScans: boolean;
  /** How often a decoder goes over the picture. */
  readonly scans: number;
  /** How many segments there are: tables, comments, descriptions. */
  readonly segments: number;
}

/** Reads the header of a JPEG, and counts its scans; undefined if no frame is found. Source: ITU-T T.81, annex B. */
export function readJpegFrame(jpeg: Uint8Array): JpegFrame | undefined {
  let frame: Omit<JpegFrame, 'isInScans' | 'scans' | 'segments'> | undefined;
  let isProgressive = false;
  let scans = 0;
  let segments = 0;
  for (const { marker, at } of readMarkers(jpeg)) {
    segments += 1;
    if (isFrameHeader(marker) && at + COMPONENTS < jpeg.length) {
      frame = {
        height: readNumber(jpeg, at + HEIGHT),
        width: readNumber(jpeg, at + WIDTH),
        components: jpeg[at + COMPONENTS] ?? 0,
        samplesPerPixel: countSamples(jpeg, at + COMPONENTS),
      };
      isProgressive = PROGRESSIVE.includes(marker);
    }
    if (marker !== START_OF_SCAN) continue;
    scans += 1;
    const isWhole = frame && !isProgressive && (jpeg[at + LENGTH_BYTES] ?? 0) >= frame.components;
    // A decoder stops after it.
    if (isWhole && scans === 1) return frame && { ...frame, isInScans: false, scans, segments };
  }
  return frame && { ...frame, isInScans: true, scans, segments };
}

const LENGTH_BYTES = 2;
/**
 * Offset of the number of components in a frame header: after its length, the bits of a sample, the height and the
 * width.
 */
const COMPONENTS = 7;
const HEIGHT = 3;
const WIDTH = 5;

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
/** SOF2, SOF6, SOF10 and SOF14. */
const PROGRESSIVE = [0xc2, 0xc6, 0xca, 0xce];

/** SOF0 to SOF15, except DHT, JPG and DAC, which lie among them. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** Without a length: SOI, RST0 to RST7, and those below SOF0. */
function standsAlone(marker: number): boolean {
  return marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd8);
}

interface Marker {
  readonly marker: number;
  /** Where its length is. */
  readonly at: number;
}

/** The markers of segments, up to the end of the image. Like a decoder, it skips anything between two segments. */
function* readMarkers(jpeg: Uint8Array): Generator<Marker> {
  let at = 2;
  while (at + 1 < jpeg.length) {
    const marker = jpeg[at + 1] ?? 0;
    if (jpeg[at] !== 0xff || marker === 0 || marker === 0xff) {
      // Data, in which a byte 0 follows each 255, or a byte that fills up.
      at += 1;
      continue;
    }
    at += 2;
    if (marker === END_OF_IMAGE) return;
    if (standsAlone(marker)) continue;
    yield { marker, at };
    at += readNumber(jpeg, at);
  }
}

/** A number of two bytes. */
function readNumber(jpeg: Uint8Array, at: number): number {
  return (jpeg[at] ?? 0) * 256 + (jpeg[at + 1] ?? 0);
}

/**
 * Starts at the number of components: each has a number, its samples in both directions in 4 bits each, and a table.
 */
function countSamples(jpeg: Uint8Array, start: number): number {
  const areas = Array.from({ length: jpeg[start] ?? 0 }, (_, i) => {
    const factors = jpeg[start + 2 + 3 * i] ?? 0;
    return (factors >> 4) * (factors & 15);
  });
  const most = Math.max(1, ...areas);
  return areas.reduce((sum, area) => sum + area / most, 0);
}
