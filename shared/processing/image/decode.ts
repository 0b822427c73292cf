import { InferenceError, invalid } from '../../errors.ts';
import type { PixelRaster } from './raster.ts';
import { ACCEPTED_IMAGE_TYPES, sniffImageType } from './sniff.ts';

export interface DecodeOptions {
  /** Most pixels of all images of a request. A small file can hold a huge image: its header is enough to refuse it. */
  readonly pixelLimit: number;
  /** What the images before this one have left of it. */
  readonly pixelsLeft: number;
}

type Sharp = typeof import('sharp').default;

let sharpModule: Promise<Sharp> | undefined;

/** sharp costs more to load than the inference runtime, so it waits for the first image. */
function loadSharp(): Promise<Sharp> {
  sharpModule ??= importSharp().catch((error: unknown) => {
    sharpModule = undefined;
    throw error;
  });
  return sharpModule;
}

async function importSharp(): Promise<Sharp> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  // Everything but the accepted formats is switched off inside the decoder too, SVG first of all.
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: DECODERS });
  return sharp;
}

const DECODERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((format) => `VipsForeignLoad${format}`);

/**
 * Decodes an image file to 8-bit pixels as Pillow would: embedded colour profiles and the EXIF orientation are not
 * applied, animated files give their first frame. There are three channels, or four with transparency; grey comes as
 * three equal ones.
 *
 * @param name what to call the image in an error, such as `field "image"`
 * @throws InferenceError 415 for other formats, 413 beyond the pixel limit, 400 for damaged files
 */
export async function decodeImage(
  file: Uint8Array,
  name: string,
  options: DecodeOptions,
): Promise<PixelRaster> {
  if (file.length === 0)
    throw invalid(`${capitalise(name)} is empty; expected ${ACCEPTED_IMAGE_TYPES.join(', ')}.`);
  checkType(file, name);
  // For sharp 0 would mean no limit.
  if (options.pixelsLeft < 1) throw tooManyPixels(name, options);
  const sharp = await loadSharp();
  const image = sharp(file, { limitInputPixels: options.pixelsLeft, failOn: 'error', ignoreIcc: true });
  try {
    const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, channels: info.channels, layout: 'HWC', data };
  } catch (error) {
    throw decodeError(error, name, options);
  }
}

function checkType(file: Uint8Array, name: string): void {
  const type = sniffImageType(file);
  if (type !== undefined && ACCEPTED_IMAGE_TYPES.includes(type)) return;
  const found = type ? `is ${type}` : 'is not an image this server knows';
  throw new InferenceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `${capitalise(name)} ${found}; accepted are ${ACCEPTED_IMAGE_TYPES.join(', ')}.`,
  );
}

function decodeError(error: unknown, name: string, options: DecodeOptions): InferenceError {
  const reason = error instanceof Error ? error.message : '';
  if (reason.includes('exceeds pixel limit')) return tooManyPixels(name, options);
  return new InferenceError(
    'INVALID_PARAMETER_VALUE',
    `${capitalise(name)} cannot be decoded: the file is truncated or damaged.`,
    { cause: error },
  );
}

function tooManyPixels(name: string, { pixelLimit }: DecodeOptions): InferenceError {
  return new InferenceError(
    'PAYLOAD_TOO_LARGE',
    `${capitalise(name)} brings the request to more than ${pixelLimit} pixels, which is the limit (MAX_IMAGE_PIXELS).`,
  );
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
