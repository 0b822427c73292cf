/** What the header of a JPEG says of its one frame. */
export interface JpegFrame {
  /** 1 for grey, 3 for colours, 4 for inks. */
  readonly components: number;
  /** How many samples there are of all components: 3 for colours in full, 1.5 where two have a quarter. */
  readonly samplesPerPixel: number;
  /** Whether the picture comes in several scans, coarse ones first or one for each component; also where that is not found. */
  readonly isInScans: boolean;
}

/** Reads the header of a JPEG; undefined where it is damaged. Source: ITU-T T.81, annex B. */
export function readJpegFrame(jpeg: Uint8Array): JpegFrame | undefined {
  let frame: Omit<JpegFrame, 'isInScans'> | undefined;
  let isProgressive = false;
  let at = 2;
  while (at + 9 < jpeg.length && jpeg[at] === 0xff) {
    const marker = jpeg[at + 1] ?? 0;
    if (isFrameHeader(marker)) {
      frame = { components: jpeg[at + 9] ?? 0, samplesPerPixel: countSamples(jpeg, at + 9) };
      isProgressive = PROGRESSIVE.includes(marker);
    }
    if (marker === START_OF_SCAN) {
      const scanned = jpeg[at + 4] ?? 0;
      return frame && { ...frame, isInScans: isProgressive || scanned < frame.components };
    }
    // A marker can have fill bytes before it.
    at += marker === 0xff ? 1 : 2 + (jpeg[at + 2] ?? 0) * 256 + (jpeg[at + 3] ?? 0);
  }
  return frame && { ...frame, isInScans: true };
}

const START_OF_SCAN = 0xda;
/** SOF2, SOF6, SOF10 and SOF14. */
const PROGRESSIVE = [0xc2, 0xc6, 0xca, 0xce];

/** SOF0 to SOF15; among them stand DHT, JPG and DAC. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** From the number of components on: each has a number, its samples in both directions in 4 bits each, and a table. */
function countSamples(jpeg: Uint8Array, start: number): number {
  const areas = Array.from({ length: jpeg[start] ?? 0 }, (_, i) => {
    const factors = jpeg[start + 2 + 3 * i] ?? 0;
    return (factors >> 4) * (factors & 15);
  });
  const most = Math.max(1, ...areas);
  return areas.reduce((sum, area) => sum + area / most, 0);
}
