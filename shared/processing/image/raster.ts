/** A decoded image, or a batch-less tensor on its way to being one. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** `HWC`: the channels of a pixel side by side. `CHW`: one plane per channel. */
  readonly layout: 'HWC' | 'CHW';
  /** Bytes 0..255 as decoded; floats once a step has rescaled or normalised them. */
  readonly data: Uint8Array | Float32Array;
}

/** A raster of bytes in HWC, which is what steps that move or mix pixels work on. */
export interface PixelRaster extends Raster {
  readonly layout: 'HWC';
  readonly data: Uint8Array;
}
