import { InferenceError } from '../../../errors.ts';
import type { PixelRaster, Size, Window } from '../raster.ts';
import { USUAL_SCANS } from './decode-price.ts';

/** The header of an image file. */
export interface ImageHeader extends Size {
  /** `cmyk` for inks. */
  readonly space: string;
  /** 1 to 8 as in EXIF. */
  readonly orientation?: number | undefined;
}

export interface ReadOptions {
  /** Four channels of inks instead of colours. */
  readonly isCmyk?: boolean;
  /** Decodes the image smaller, in the fastest way. */
  readonly shrinkTo?: Size;
  /** Gives only this part. It saves the memory of the rest. */
  readonly part?: Window;
}

/** An image file as the decoding library sees it. Its errors are meant for the log. */
export interface ImageFile {
  readHeader(): Promise<ImageHeader>;
  readPixels(options?: ReadOptions): Promise<PixelRaster>;
}

/**
 * Opens the bytes of an image file. This is the only importer of sharp.
 *
 * @param mostPixels at which an image is refused with the message "exceeds pixel limit"
 */
export async function openImageFile(file: Uint8Array, mostPixels: number): Promise<ImageFile> {
  const sharp = await loadSharp();
  const open = () => sharp(file, { limitInputPixels: mostPixels, failOn: 'error', ignoreIcc: true });
  return {
    readHeader: () => open().metadata(),
    readPixels: async ({ isCmyk, shrinkTo, part } = {}) => {
      let image = open();
      if (isCmyk) image = image.pipelineColourspace('cmyk').toColourspace('cmyk');
      if (part) image = image.extract(part);
      if (shrinkTo) image = image.resize({ ...shrinkTo, fit: 'fill', kernel: 'cubic' });
      const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
      return { width: info.width, height: info.height, channels: info.channels, layout: 'HWC', data };
    },
  };
}

/**
 * The library that decodes, with its version: `libvips 8.18.7`.
 *
 * @throws Error when it is not installed
 */
export async function describeDecoder(): Promise<string> {
  const { versions } = await loadSharp();
  return `libvips ${versions.vips}`;
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
  // libtiff reads this limit for the JPEGs inside TIFF; otherwise it allows 100 scans.
  process.env.LIBTIFF_JPEG_MAX_ALLOWED_SCAN_NUMBER = String(USUAL_SCANS);
  const { default: sharp } = await import('sharp').catch(explainMissing);
  sharp.cache(false);
  // All formats except the accepted ones are switched off inside the decoder too, above all SVG.
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: DECODERS });
  return sharp;
}

/** The npm package does not install sharp: tabular and text models do not need its 20 MB. */
export const SHARP_RANGE = '^0.35.5';

function explainMissing(error: unknown): never {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
  if (!isMissing || !error.message.includes("'sharp'")) throw error;
  const text = `Images need sharp, which "npm install sharp@${SHARP_RANGE}" installs.`;
  throw new InferenceError('NOT_IMPLEMENTED', text, { cause: error });
}

const DECODERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((format) => `VipsForeignLoad${format}`);
