/**
 * Image steps as `model.json` spells them. All formats use these functions, so a change of the spelling only concerns
 * this file.
 */
export type ImageStepJson = Readonly<Record<string, unknown>> & { readonly step: string };

/** The resampling filters by their codes in Pillow, which transformers uses too. */
export const FILTERS = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;
export type FilterName = (typeof FILTERS)[number];

export const toRgb = (): ImageStepJson => ({ step: 'convert', mode: 'RGB' });

export const toBgr = (): ImageStepJson => ({ step: 'convert', mode: 'BGR' });

export const toGrey = (): ImageStepJson => ({ step: 'convert', mode: 'grey' });

export const resize = (width: number, height: number, filter: FilterName): ImageStepJson => ({
  step: 'resize',
  width,
  height,
  filter,
});

/** Resizes the shorter side to this length and keeps the proportions. */
export const resizeShortestEdge = (shortestEdge: number, filter: FilterName): ImageStepJson => ({
  step: 'resize',
  shortestEdge,
  filter,
});

/** Crops the middle, with the rounding of the library that the format comes from. */
export const centerCrop = (
  width: number,
  height: number,
  rounding: 'even' | 'down' | 'zero' = 'even',
): ImageStepJson => ({ step: 'centerCrop', width, height, ...(rounding !== 'even' && { rounding }) });

export const rescale = (scale: number): ImageStepJson => ({ step: 'rescale', scale });

/** Bytes to 0..1, as torchvision's `ToTensor`. */
export const toUnit = (): ImageStepJson => rescale(1 / 255);

export const normalize = (mean: readonly number[], std: readonly number[]): ImageStepJson => ({
  step: 'normalize',
  mean,
  std,
});

export const toPlanes = (): ImageStepJson => ({ step: 'layout', layout: 'NCHW' });
