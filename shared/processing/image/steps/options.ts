import * as z from 'zod/mini';

/** Width or height of an image. */
export const sideOption = z
  .int()
  .check(z.minimum(1), z.maximum(16_384))
  .register(z.globalRegistry, { description: 'In pixels.' });

/** A number that float32 can hold, because values are computed in float32. */
export const floatOption = z
  .number()
  .check(z.refine((value) => Number.isFinite(Math.fround(value)), 'must fit a float32'));

/** Such a number above 0, also when rounded to float32. */
export const positiveFloatOption = floatOption.check(
  z.refine((value) => Math.fround(value) > 0, 'must be positive'),
);

const byte = z.int().check(z.minimum(0), z.maximum(255));

/** A colour in the order of the image's channels, or one value for all of them. */
export const colourOption = z.union(
  [byte, z.tuple([byte, byte, byte])],
  'must be a whole number from 0 to 255, or three of them',
);

export type Colour = z.infer<typeof colourOption>;

/** The colour for an image with this number of channels; alpha is opaque. */
export function fillColour(colour: Colour, channels: number): number[] {
  const colours = channels === 2 || channels === 4 ? channels - 1 : channels;
  const values =
    typeof colour === 'number' ? new Array<number>(colours).fill(colour) : colour.slice(0, colours);
  return colours === channels ? values : [...values, 255];
}

/** How the file of an image becomes pixels. */
export const decodeOptions = z
  .strictObject({
    step: z.literal('decode'),
    decode: z._default(z.enum(['exact', 'fast']), 'exact').register(z.globalRegistry, {
      description:
        'exact: every pixel, as in Pillow. fast: a large JPEG is decoded at a smaller size if the next step makes it much smaller.',
    }),
  })
  .register(z.globalRegistry, { description: 'Decodes the file. It may be left out.' });

export const orientOptions = z
  .strictObject({ step: z.literal('orient') })
  .register(z.globalRegistry, { description: 'Turns the picture upright, as its EXIF orientation says.' });

export const convertOptions = z
  .strictObject({
    step: z.literal('convert'),
    mode: z.enum(['grey', 'RGB', 'BGR']).register(z.globalRegistry, {
      description: 'grey: one channel of luma. RGB, BGR: three channels in that order.',
    }),
    background: z.optional(colourOption).register(z.globalRegistry, {
      description:
        'Background colour of transparent images, as red, green and blue. Without it, alpha is dropped, not blended.',
    }),
  })
  .register(z.globalRegistry, {
    description: 'Converts the image to the colour channels that the model takes.',
  });

function hasOneSize(options: {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly shortestEdge?: number | undefined;
  readonly longestEdge?: number | undefined;
}): boolean {
  const exact = [options.width, options.height].filter((side) => side !== undefined).length;
  const edges = [options.shortestEdge, options.longestEdge].filter((edge) => edge !== undefined).length;
  return (exact === 2 && edges === 0) || (exact === 0 && edges === 1);
}

export const resizeOptions = z
  .strictObject({
    step: z.literal('resize'),
    width: z.optional(sideOption),
    height: z.optional(sideOption),
    shortestEdge: z.optional(sideOption).register(z.globalRegistry, {
      description:
        'Length of the shorter edge. The other edge keeps the proportions, cut to whole pixels as in torchvision.transforms.Resize.',
    }),
    maxSize: z
      .optional(sideOption)
      .register(z.globalRegistry, { description: 'Largest length of the longer edge, with shortestEdge.' }),
    longestEdge: z.optional(sideOption).register(z.globalRegistry, {
      description:
        'Length of the longer edge. The other edge keeps the proportions, rounded as in PIL.ImageOps.contain.',
    }),
    pad: z.optional(colourOption).register(z.globalRegistry, {
      description: 'Makes the image a square with the longest edge, and fills the rest with this colour.',
    }),
    filter: z
      ._default(z.enum(['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos']), 'bilinear')
      .register(z.globalRegistry, {
        description: 'How pixels are mixed, by the name of the filter in Pillow.',
      }),
    firstPass: z.optional(z.enum(['auto', 'horizontal'])).register(z.globalRegistry, {
      description:
        'horizontal gives the bytes of Pillow 12 and older if images lose much more height than width.',
    }),
    arithmetic: z.optional(z.enum(['pillow', 'torch'])).register(z.globalRegistry, {
      description:
        'torch gives the bytes of torchvision on tensors of bytes, as in the fast image processors of transformers.',
    }),
  })
  .check(
    z.refine(hasOneSize, 'takes width and height, or shortestEdge, or longestEdge'),
    z.refine(({ maxSize, shortestEdge }) => maxSize === undefined || maxSize > (shortestEdge ?? maxSize), {
      message: 'must come with shortestEdge and be larger than it',
      path: ['maxSize'],
    }),
    z.refine(({ pad, longestEdge }) => pad === undefined || longestEdge !== undefined, {
      message: 'belongs to longestEdge',
      path: ['pad'],
    }),
  )
  .register(z.globalRegistry, {
    description: 'Changes the size: takes width and height, or shortestEdge, or longestEdge.',
  });

export const centerCropOptions = z
  .strictObject({
    step: z.literal('centerCrop'),
    width: sideOption,
    height: sideOption,
    rounding: z.optional(z.enum(['even', 'down', 'zero'])).register(z.globalRegistry, {
      description:
        'Where half a pixel goes. even: as in torchvision, the default. down: as in transformers. zero: as in the fast image processors of transformers.',
    }),
  })
  .register(z.globalRegistry, { description: 'Cuts out the middle, with black around smaller images.' });

export const rescaleOptions = z
  .strictObject({
    step: z.literal('rescale'),
    scale: positiveFloatOption
      .clone()
      .register(z.globalRegistry, { description: 'Factor for each value. 1/255 brings bytes to 0..1.' }),
    offset: z.optional(floatOption).register(z.globalRegistry, {
      description: 'Number that is added afterwards. -1 with a scale of 1/127.5 brings bytes to -1..1.',
    }),
  })
  .register(z.globalRegistry, { description: 'value * scale + offset' });

const perChannel = <T extends z.ZodMiniType>(number: T) =>
  z.array(number).check(z.minLength(1), z.maxLength(4));

export const normalizeOptions = z
  .strictObject({
    step: z.literal('normalize'),
    mean: perChannel(floatOption).register(z.globalRegistry, {
      description: 'Number to subtract: one per channel, or one for all.',
    }),
    std: perChannel(positiveFloatOption).register(z.globalRegistry, {
      description: 'Number to divide by: one per channel, or one for all.',
    }),
  })
  .register(z.globalRegistry, { description: '(value - mean) / std' });

export const layoutOptions = z
  .strictObject({
    step: z.literal('layout'),
    layout: z.enum(['NCHW', 'NHWC']).register(z.globalRegistry, {
      description: 'NCHW: planes, as in PyTorch. NHWC: pixels, as in TensorFlow.',
    }),
  })
  .register(z.globalRegistry, { description: 'Puts the axes into the order that the graph takes.' });

const DATATYPE_OPTIONS = ['FP32', 'FP16', 'FP64', 'UINT8', 'INT8', 'UINT16', 'INT16', 'INT32'] as const;

export const datatypeOptions = z
  .strictObject({
    step: z.literal('datatype'),
    datatype: z.enum(DATATYPE_OPTIONS).register(z.globalRegistry, {
      description: 'Datatype of the input of the graph, by its name in the Open Inference Protocol.',
    }),
  })
  .register(z.globalRegistry, {
    description: 'Casts the values to a datatype. Without this step they get the datatype of the graph.',
  });
