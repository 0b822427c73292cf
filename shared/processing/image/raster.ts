import type { Datatype } from '../../tensor/datatype.ts';

/** The arrays of an image's values. */
export type RasterData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** A decoded image, or a batch-less tensor on its way to being one. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** `HWC`: the channels of a pixel side by side. `CHW`: one plane per channel. */
  readonly layout: 'HWC' | 'CHW';
  /** Bytes 0..255 as decoded; float32 once a step has rescaled or normalised them. */
  readonly data: RasterData;
  /** The datatype of the values, once a step has set it; FP16 as bit patterns. */
  readonly datatype?: Datatype | undefined;
}

/** A raster of bytes in HWC, as steps that move or mix pixels need it. */
export interface PixelRaster extends Raster {
  readonly layout: 'HWC';
  readonly data: Uint8Array;
  /**
   * How the picture has to be turned to be upright: 1 to 8 as in EXIF; undefined if it is upright or was not asked for.
   */
  readonly orientation?: number | undefined;
  /** Pixels of the file, if it was decoded smaller, or in part. */
  readonly filePixels?: number | undefined;
  /** Where it is in its picture, if it is only a part. Steps that work on each pixel, and a resize to a window, take it. */
  readonly partOf?: PartOf | undefined;
}

/** The place of a part: the size of the whole picture, and the first column and row of the part. */
export interface PartOf {
  readonly size: Size;
  readonly left: number;
  readonly top: number;
}

/** The size of the whole picture. */
export function pictureSize({ width, height, partOf }: PixelRaster): Size {
  return partOf?.size ?? { width, height };
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A part of an image. It can reach beyond the image. */
export interface Window extends Size {
  readonly left: number;
  readonly top: number;
}

/** Whether the last channel is alpha: grey or colours with it are two or four channels. */
export function hasAlpha({ channels }: Pick<Raster, 'channels'>): boolean {
  return channels === 2 || channels === 4;
}
