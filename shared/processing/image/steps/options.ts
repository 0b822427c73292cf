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
