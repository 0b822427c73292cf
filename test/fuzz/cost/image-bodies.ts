import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { pixelPrice, USUAL_SCANS } from '../../../shared/processing/image/decode/decode-price.ts';
import {
  jpegOfScans,
  pngChunk,
  tiffOfStrips,
  webpChunk,
  withPngChunks,
} from '../../shared/processing/image/decode/costly-images.ts';
import type { BodyMaker } from './bodies.ts';
import { flatImage, type ImageFormat, LARGEST_SIDE, remember } from './flat-images.ts';

const MOST_PIXELS = 50_000_000;

export const IMAGE_MAKERS: readonly BodyMaker[] = [
  ...(['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const).map((format) =>
    image(`${format.toUpperCase()} of 50 megapixels`, format, async (pixels) =>
      flatImage(format, sideOf(pixels / pixelPrice(`image/${format}`, await flatImage(format, 8)))),
    ),
  ),
  image('PNG of one row', 'png', (pixels) => flatImage('png', Math.min(65_000, pixels), 1)),
  image('PNG of one column', 'png', (pixels) => flatImage('png', 1, Math.min(65_000, pixels))),
  image('PNG of rows of 65,000', 'png', (pixels) => flatImage('png', 65_000, Math.max(1, pixels / 65_000))),
  image('GIF of rows of 65,000', 'gif', (pixels) => flatImage('gif', 65_000, Math.max(1, pixels / 65_000))),
  image('WebP of rows of 16,000', 'webp', (pixels) =>
    flatImage('webp', 16_000, Math.max(1, pixels / 16_000)),
  ),
  image('TIFF of columns of 65,000', 'tiff', (pixels) =>
    flatImage('tiff', Math.max(1, pixels / 65_000), 65_000),
  ),
  variant('lossless WebP', 'webp', (flat) => flat.webp({ lossless: true })),
  variant('interlaced PNG', 'png', (flat) => flat.png({ progressive: true, palette: true })),
  variant('PNG in 16 bits', 'png', (flat) => flat.toColourspace('rgb16').png()),
  variant('PNG with transparency', 'png', (flat) => flat.ensureAlpha(0.5).png()),
  variant('grey PNG', 'png', (flat) => flat.toColourspace('b-w').png()),
  variant('interlaced PNG in 16 bits', 'png', (flat) =>
    flat.ensureAlpha(0.5).toColourspace('rgb16').png({ progressive: true }),
  ),
  variant('WebP with transparency', 'webp', (flat) => flat.ensureAlpha(0.5).webp()),
  variant('progressive JPEG in full', 'jpeg', (flat) =>
    flat.jpeg({ progressive: true, quality: 1, chromaSubsampling: '4:4:4' }),
  ),
  variant('progressive CMYK JPEG', 'jpeg', (flat) =>
    flat.toColourspace('cmyk').jpeg({ progressive: true, quality: 1 }),
  ),
  variant('AVIF in 12 bits', 'avif', (flat) => flat.avif({ bitdepth: 12, effort: 0 })),
  variant('progressive JPEG', 'jpeg', (flat) => flat.jpeg({ progressive: true, quality: 1 })),
  variant('CMYK JPEG', 'jpeg', (flat) => flat.toColourspace('cmyk').jpeg({ quality: 1 })),
  variant('turned JPEG', 'jpeg', (flat) => flat.withMetadata({ orientation: 6 }).jpeg({ quality: 1 })),
  variant('TIFF in tiles', 'tiff', (flat) => flat.tiff({ compression: 'lzw', tile: true })),
  variant('TIFF with floats', 'tiff', (flat) => flat.toColourspace('scrgb').tiff({ compression: 'deflate' })),
  variant('TIFF of JPEG', 'tiff', (flat) => flat.tiff({ compression: 'jpeg', quality: 1 })),
  variant('AVIF without loss', 'avif', (flat) => flat.avif({ lossless: true, effort: 0 })),
  image('animated GIF', 'gif', (pixels) => animated('gif', pixels)),
  image('animated WebP', 'webp', (pixels) => animated('webp', pixels)),
  image('PNG with a profile that inflates', 'png', () =>
    withChunk('iCCP', Buffer.concat([Buffer.from('a\0\0'), deflateSync(Buffer.alloc(30e6))])),
  ),
  image('PNG with a text that inflates', 'png', () =>
    withChunk('zTXt', Buffer.concat([Buffer.from('a\0\0'), deflateSync(Buffer.alloc(30e6))])),
  ),
  image('PNG with many texts', 'png', () => withChunk('tEXt', Buffer.from('a\0b'), 4_000)),
  image('PNG with many texts that inflate', 'png', (pixels) =>
    withChunk(
      'zTXt',
      Buffer.concat([Buffer.from('a\0\0'), deflateSync(Buffer.alloc(7.9e6))]),
      times(pixels, 8_000),
    ),
  ),
  image('PNG with a chunk many times', 'png', (pixels) =>
    withChunk('gAMA', Buffer.alloc(4, 1), times(pixels, 16)),
  ),
  image('JPEG of many segments', 'jpeg', (pixels) => jpegOfSegments(pixels / 1.5)),
  image('WebP of many frames', 'webp', (pixels) => webpOfFrames(pixels / 1.5)),
  image('GIF of many frames', 'gif', (pixels) => gifOfFrames(pixels / 1.5)),
  image('PNG whose header lies', 'png', () => lyingPng(7000, 7000)),
  image('JPEG of many scans', 'jpeg', (pixels) => jpegWith(Math.min(10_000, pixels / 1000), pixels)),
  image('JPEG of as many scans as it may have', 'jpeg', (pixels) =>
    jpegWith(1000, pixels / (1000 / USUAL_SCANS)),
  ),
  image('TIFF of many strips', 'tiff', (pixels) => tiffWith(Uint8Array.of(7), pixels)),
  image('TIFF of JPEGs', 'tiff', (pixels) => tiffWith(jpegOfScans(1, 1, 14), pixels)),
  image('zeros called a JPEG', 'jpeg', (pixels) => Promise.resolve(Buffer.alloc(Math.min(32e6, pixels)))),
];

function image(name: string, format: ImageFormat, make: (pixels: number) => Promise<Buffer>): BodyMaker {
  return {
    name: `image: ${name}`,
    types: [`image/${format}`],
    usesJson: false,
    // As many pixels as the largest body has bytes, and half as many more: up to the limit, as many as their format may have.
    make: async ({ bytes }) => ({
      body: await make(Math.min(MOST_PIXELS, bytes * 1.5)),
      headers: { 'content-type': `image/${format}` },
    }),
  };
}

function variant(name: string, format: ImageFormat, change: (flat: Sharp) => Sharp): BodyMaker {
  return image(name, format, async (pixels) => {
    const sample = await remember(`${name} 8`, () => change(flat(8, 8)));
    const side = sideOf(pixels / pixelPrice(`image/${format}`, sample));
    return await remember(`${name} ${side}`, () => change(flat(side, side)));
  });
}

/** How many parts make about as many bytes as the body may have. */
function times(pixels: number, bytesEach: number): number {
  return Math.max(1, Math.floor(pixels / 1.5 / bytesEach));
}

function jpegWith(scans: number, pixels: number): Promise<Buffer> {
  const side = sideOf(pixels);
  return Promise.resolve(jpegOfScans(side, side, Math.max(2, Math.floor(scans))));
}

/** As many strips of a pixel as there may be, in about 8 bytes each. */
function tiffWith(strip: Uint8Array, pixels: number): Promise<Buffer> {
  const most = MOST_PIXELS / (strip.length === 1 ? 200 : 1400);
  const strips = Math.max(1, Math.floor(Math.min(pixels / 12, most)));
  return Promise.resolve(tiffOfStrips({ strip, strips }));
}

function animated(format: 'gif' | 'webp', pixels: number): Promise<Buffer> {
  const frames = 64;
  const side = Math.max(8, sideOf(pixels / frames));
  return remember(`animated ${format} ${side}`, () => {
    const raw = { width: side, height: side * frames, channels: 3, pageHeight: side } as const;
    const stripes = Buffer.alloc(side * side * frames * 3);
    for (let frame = 0; frame < frames; frame++)
      stripes.fill(frame * 3, frame * side * side * 3, (frame + 1) * side * side * 3);
    return sharp(stripes, { raw, limitInputPixels: false }).toFormat(format);
  });
}

function flat(width: number, height: number): Sharp {
  return sharp({ create: { width, height, channels: 3, background: '#fff' }, limitInputPixels: false });
}

function sideOf(pixels: number): number {
  return Math.max(1, Math.min(LARGEST_SIDE, Math.floor(Math.sqrt(pixels))));
}

/** A small PNG with one more chunk after its header, or many. */
async function withChunk(type: string, data: Buffer, times = 1): Promise<Buffer> {
  const chunk = pngChunk(type, data);
  return withPngChunks(await flatImage('png', 8), new Array<Buffer>(times).fill(chunk));
}

/** A small WebP whose only frame is repeated up to a number of bytes. */
async function webpOfFrames(bytes: number): Promise<Buffer> {
  const still = (await flatImage('webp', 8)).subarray(12);
  const frame = webpChunk(
    'ANMF',
    Buffer.concat([Buffer.of(0, 0, 0, 0, 0, 0, 7, 0, 0, 7, 0, 0, 1, 0, 0, 0), still]),
  );
  const chunks = Buffer.concat([
    Buffer.from('WEBP'),
    webpChunk('VP8X', Buffer.of(2, 0, 0, 0, 7, 0, 0, 7, 0, 0)),
    webpChunk('ANIM', Buffer.alloc(6)),
    ...new Array<Buffer>(Math.max(1, Math.floor(bytes / frame.length))).fill(frame),
  ]);
  return webpChunk('RIFF', chunks);
}

/** The same with a GIF. */
async function gifOfFrames(bytes: number): Promise<Buffer> {
  const gif = await flatImage('gif', 8);
  const frame = Buffer.concat([Buffer.of(0x2c, 0, 0, 0, 0, 8, 0, 8, 0, 0), Buffer.of(2, 2, 0x4c, 1, 0)]);
  const frames = new Array<Buffer>(Math.floor(bytes / frame.length)).fill(frame);
  return Buffer.concat([gif.subarray(0, -1), ...frames, gif.subarray(-1)]);
}

async function jpegOfSegments(bytes: number): Promise<Buffer> {
  const jpeg = await flatImage('jpeg', 8);
  const comment = Buffer.from('\xff\xed\0\x10Photoshop 3.0\0', 'latin1');
  const comments = new Array<Buffer>(Math.floor(bytes / comment.length)).fill(comment);
  return Buffer.concat([jpeg.subarray(0, 2), ...comments, jpeg.subarray(2)]);
}

/** A PNG that announces more pixels than it has. */
async function lyingPng(width: number, height: number): Promise<Buffer> {
  const png = Buffer.from(await flatImage('png', 8));
  const header = Buffer.from(png.subarray(16, 29));
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([png.subarray(0, 8), pngChunk('IHDR', header), png.subarray(33)]);
}
