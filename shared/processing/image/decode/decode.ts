import { type Budget, overspent } from '../../../budget.ts';
import { InferenceError, invalid } from '../../../errors.ts';
import { runInTurns } from '../../work.ts';
import type { PixelRaster, Size, Window } from '../raster.ts';
import { orient } from '../steps/orient.ts';
import { cmykToRgb } from './cmyk.ts';
import { leastPixels, pixelPrice } from './decode-price.ts';
import { decodeShrunk, type ResizedSize } from './decode-shrunk.ts';
import { restoreColours } from './gif.ts';
import { type ImageFile, openImageFile } from './image-file.ts';
import { readJpegFrame } from './jpeg-frame.ts';
import { neededParts } from './needed-parts.ts';
import { ACCEPTED_IMAGE_TYPES, sniffImageType } from './sniff.ts';

/** The options of decoding that a request and a model set. */
export interface DecodeContext {
  /**
   * The budget that the pixels are taken from. A small file can hold a huge image: its header is enough to refuse it.
   */
  readonly budget: Budget;
  /** Whether the EXIF orientation is read; it is not applied. */
  readonly readOrientation?: boolean;
  /** The size that an upright image gets next, if it may therefore be decoded smaller. */
  readonly resizedSize?: ResizedSize | undefined;
  /**
   * The part of a picture of some size that is needed; undefined for all of it. A JPEG may then be decoded in part: it
   * says so in `partOf`.
   */
  readonly neededPart?: ((picture: Size) => Window | undefined) | undefined;
}

/**
 * Decodes an image file to 8-bit pixels as Pillow would: embedded colour profiles are not applied, only TIFF files are
 * turned by their orientation, and animated files give their first frame. There are three channels, or four with
 * transparency; grey comes as three equal ones.
 *
 * @param name what to call the image in an error, such as `field "image"`
 * @throws InferenceError 415 for other formats, 413 beyond the pixel limit, 400 for damaged files
 */
export async function decodeImage(
  file: Uint8Array,
  name: string,
  options: DecodeContext,
): Promise<PixelRaster> {
  if (file.length === 0)
    throw invalid(`${capitalise(name)} is empty; expected ${ACCEPTED_IMAGE_TYPES.join(', ')}.`);
  const type = checkType(file, name);
  const { budget } = options;
  const price = pixelPrice(type, file);
  const least = leastPixels(type, file);
  const left = budget.left('imagePixels');
  const mostPixels = Math.floor(left / price);
  // To sharp, 0 would mean no limit.
  if (mostPixels < 1 || least > left) throw tooManyPixels(name, options);
  const image = await openImageFile(neededParts(type, file), mostPixels);
  const pay = (pixels: number) =>
    budget.spend('imagePixels', Math.max(least, pixels * price), capitalise(name));
  try {
    const pixels = await decodeAny(type, file, image, options);
    pay(pixels.filePixels ?? pixels.width * pixels.height);
    return pixels;
  } catch (error) {
    // Errors of the decoder itself are of other types.
    if (error instanceof InferenceError) throw error;
    // A damaged file costs as much as its whole picture: it may end just before the last pixel.
    const { width, height } = await image.readHeader().catch(() => NO_SIZE);
    pay(width * height);
    throw isMangled(file) ? mangled(name) : decodeError(error, name, options);
  }
}

/** If the header of a file cannot be read, nothing was decoded. */
const NO_SIZE: Size = { width: 0, height: 0 };

async function decodeAny(
  type: string,
  file: Uint8Array,
  image: ImageFile,
  options: DecodeContext,
): Promise<PixelRaster> {
  if (type === 'image/tiff') return await decodeTiff(image, options.budget);
  const { orientation } = options.readOrientation ? await image.readHeader() : {};
  return { ...(await decodePixels(type, file, image, { ...options, orientation })), orientation };
}

interface OrientedContext extends DecodeContext {
  readonly orientation: number | undefined;
}

async function decodePixels(
  type: string,
  file: Uint8Array,
  image: ImageFile,
  { budget, resizedSize, neededPart, orientation }: OrientedContext,
): Promise<PixelRaster> {
  if (type === 'image/gif')
    return runInTurns(restoreColours(await image.readPixels(), file), () => budget.goOn());
  if (type !== 'image/jpeg') return image.readPixels();
  const frame = readJpegFrame(file);
  if (frame?.components === CMYK_CHANNELS) return decodeCmyk(image, budget);
  if (frame && neededPart && frame.width > 0 && frame.height > 0) {
    const part = neededPart(frame);
    if (part && isWorthIt(frame, part)) return decodePart(image, frame, part);
  }
  return (resizedSize && (await decodeShrunk(image, resizedSize, orientation))) ?? image.readPixels();
}

const CMYK_CHANNELS = 4;

/** All rows are decoded up to the last one, but memory for what is not needed is neither taken nor written to. */
async function decodePart(
  image: ImageFile,
  { width, height }: Size,
  { left, top, ...size }: Window,
): Promise<PixelRaster> {
  const pixels = await image.readPixels({ part: { left, top, ...size } });
  return { ...pixels, filePixels: width * height, partOf: { size: { width, height }, left, top } };
}

function isWorthIt(whole: Size, part: Size): boolean {
  return whole.width * whole.height - part.width * part.height >= LEAST_SAVED_PIXELS;
}

/** A megabyte. With less, the extra operation takes as long as it saves. */
const LEAST_SAVED_PIXELS = 350_000;

async function decodeCmyk(image: ImageFile, budget: Budget): Promise<PixelRaster> {
  return runInTurns(cmykToRgb(await image.readPixels({ isCmyk: true })), () => budget.goOn());
}

/** Pillow turns TIFF, and no other format, as its orientation says. */
async function decodeTiff(image: ImageFile, budget: Budget): Promise<PixelRaster> {
  const { space, orientation } = await image.readHeader();
  const pixels = await (space === 'cmyk' ? decodeCmyk(image, budget) : image.readPixels());
  return runInTurns(orient({ ...pixels, orientation }), () => budget.goOn());
}

function checkType(file: Uint8Array, name: string): string {
  const type = sniffImageType(file);
  if (type !== undefined && ACCEPTED_IMAGE_TYPES.includes(type)) return type;
  if (isMangled(file)) throw mangled(name);
  const found = type ? `is ${type}` : 'is not an image this server knows';
  throw new InferenceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `${capitalise(name)} ${found}; accepted types are ${ACCEPTED_IMAGE_TYPES.join(', ')}.`,
  );
}

/** U+FFFD, which stands for bytes that are not UTF-8: images have some early on, and GIF and WebP after their names. */
const REPLACED = Buffer.from('\ufffd');
const EARLY_BYTES = 64;

function isMangled(file: Uint8Array): boolean {
  return Buffer.from(file.subarray(0, EARLY_BYTES)).includes(REPLACED);
}

function mangled(name: string): InferenceError {
  return new InferenceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `${capitalise(name)} was read as UTF-8 text on its way, which destroys the bytes of an image: have the gateway pass it as binary, or send it as base64 in JSON.`,
  );
}

function decodeError(error: unknown, name: string, options: DecodeContext): InferenceError {
  const reason = error instanceof Error ? error.message : '';
  if (reason.includes('exceeds pixel limit')) return tooManyPixels(name, options);
  return new InferenceError(
    'INVALID_PARAMETER_VALUE',
    `${capitalise(name)} cannot be decoded: the file is truncated or damaged.`,
    { cause: error },
  );
}

function tooManyPixels(name: string, { budget }: DecodeContext): InferenceError {
  return overspent('imagePixels', budget.limits.imagePixels, capitalise(name));
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
